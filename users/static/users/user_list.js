// The list of users works without this: it closes drop-downs, narrows long ones, folds them on
// a telephone, moves columns, and keeps the address short.
"use strict";
{
  const dropDowns = () => document.querySelectorAll(".drop-down[open]");

  document.addEventListener("click", (event) => {
    for (const each of dropDowns()) {
      if (!each.contains(event.target)) each.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const each of dropDowns()) {
      each.open = false;
      if (each.contains(document.activeElement)) each.querySelector("summary").focus();
    }
  });

  // `toggle` does not bubble.
  document.addEventListener("toggle", (event) => {
    const dropDown = event.target;
    if (!dropDown.matches(".drop-down") || !dropDown.open) return;
    for (const each of dropDowns()) if (each !== dropDown) each.open = false;
    const panel = dropDown.querySelector(".panel");
    dropDown.classList.remove("end");
    const isBeyond = panel.getBoundingClientRect().right > document.documentElement.clientWidth;
    dropDown.classList.toggle("end", isBeyond);
  }, true);

  document.addEventListener("DOMContentLoaded", () => {
    // On a telephone the filters would fill the screen.
    if (matchMedia("(max-width: 767px)").matches) {
      for (const filters of document.querySelectorAll(".filters")) filters.open = false;
    }
    for (const narrow of document.querySelectorAll(".drop-down .narrow")) {
      narrow.hidden = false;
      narrow.addEventListener("input", () => {
        const asked = narrow.value.trim().toLowerCase();
        for (const item of narrow.parentElement.querySelectorAll("li")) {
          item.hidden = !item.textContent.toLowerCase().includes(asked);
        }
      });
      narrow.addEventListener("keydown", (event) => {
        if (event.key === "Enter") event.preventDefault();
      });
    }
    for (const button of document.querySelectorAll(".columns .move")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const item = button.closest("li");
        // The form sends the columns in the order in which they stand here.
        if (button.dataset.by < 0) item.previousElementSibling?.before(item);
        else item.nextElementSibling?.after(item);
        button.focus();
      });
    }
    document.getElementById("changelist-search")?.addEventListener("submit", (event) => {
      for (const input of event.target.querySelectorAll("input[name]")) {
        if (input.value === "" && input.type !== "submit") input.disabled = true;
      }
    });
  });
}
