// The box in the head of django_rq's job lists ticks all of them. (Django's own actions.js needs a counter they lack.)
document.addEventListener("change", (event) => {
  if (event.target.id !== "action-toggle") return;
  for (const box of document.querySelectorAll("input.action-select")) box.checked = event.target.checked;
});
