// Runs before the first paint: the theme chosen on this browser, or the system's.
const chosen = localStorage.getItem("vizportal-theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
