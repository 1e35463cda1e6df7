"""What the properties cost: recorded, filed under a property and a category, taken back."""
