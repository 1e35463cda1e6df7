// Sets the chosen appearance before the page is drawn; without a choice the system decides.
const theme = localStorage.getItem("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.bsTheme = theme;
document.documentElement.classList.add("js");
