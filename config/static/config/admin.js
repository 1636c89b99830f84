// Names and roles for screen readers, which Django's widgets lack.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  // An autocomplete is called by its label, and says what is chosen.
  const named = (select) => {
    const box = select.parentElement.querySelector(".select2-selection");
    const chosen = box?.querySelector(".select2-selection__rendered");
    if (!chosen) return;
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const name = select.getAttribute("aria-label") || select.name;
    if (label) {
      label.id ||= `${select.id}_label`;
      box.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
      chosen.setAttribute("aria-labelledby", label.id);
      // Of a list with several values, the search field stands in the box.
      box.querySelector(".select2-search__field")?.setAttribute("aria-labelledby", label.id);
    } else {
      box.removeAttribute("aria-labelledby");
      for (const part of [box, chosen]) part.setAttribute("aria-label", name);
    }
  };
  const improve = () => {
    for (const select of document.querySelectorAll("select.admin-autocomplete")) named(select);
    for (const hint of document.querySelectorAll(".selector .help-tooltip[aria-label]")) {
      hint.setAttribute("role", "img");
    }
  };
  improve();
  // Widgets are made a moment after the page is loaded, and whenever a row is added.
  const made = ".select2, .selector, .help-tooltip, .inline-related, .form-row";
  new MutationObserver((changes) => {
    const nodes = changes.flatMap((change) => [...change.addedNodes]);
    if (nodes.some((node) => node.nodeType === Node.ELEMENT_NODE && node.matches(made))) improve();
  }).observe(document.body, { childList: true, subtree: true });
});
