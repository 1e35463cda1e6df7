// A grid of rows by keyboard: Enter goes down, Ctrl+Enter sends, an empty date takes the one above.
"use strict";

const rowsOf = (grid) => [...grid.querySelectorAll("tbody tr")];

function below(field, step) {
  const row = field.closest("tr");
  const cell = [...row.cells].indexOf(field.closest("td"));
  const rows = rowsOf(row.closest("table"));
  return rows[rows.indexOf(row) + step]?.cells[cell]?.querySelector("input");
}

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key !== "Enter" || !field.closest?.("[data-grid]") || field.tagName !== "INPUT") return;
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) return field.form.requestSubmit();
  below(field, event.shiftKey ? -1 : 1)?.focus();
});

document.addEventListener("focusin", (event) => {
  const field = event.target;
  if (field.type !== "date" || field.value || !field.closest("[data-grid]")) return;
  field.value = below(field, -1)?.value ?? "";
});
