// What django_rq's job lists expect of the admin site and Django no longer has: the jQuery plugin that their inline
// script calls (Django's actions.js finds the boxes by itself since Django 3.2), and the counter that actions.js writes to.
document.addEventListener("DOMContentLoaded", () => {
  if (!window.django?.jQuery) return;
  django.jQuery.fn.actions = function () { return this; };
  const counter = document.createElement("span");
  counter.className = "action-counter";
  counter.dataset.actionsIcnt = document.querySelectorAll("input.action-select").length;
  document.querySelector(".actions, #changelist")?.append(counter);
});
