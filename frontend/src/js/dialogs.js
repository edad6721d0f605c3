// <dialog>: data-open="id", data-close, a click beside it. Buttons also carry command/commandfor, which newer browsers
// obey by themselves and also without scripts; this is for the others.
import { each, on } from "./dom.js";

on("click", "[data-open]", (button) => {
  if ("commandForElement" in button && button.hasAttribute("command")) return;
  const dialog = document.getElementById(button.dataset.open);
  button.closest("[popover]")?.hidePopover();
  if (dialog && !dialog.open) dialog.showModal();
});
on("click", "[data-close]", (button) => button.closest("dialog").close());
// the dialog itself is only the area around its box
on("click", "dialog[data-light]", (dialog, event) => {
  if (event.target === dialog) dialog.close("no");
});
on("click", "[data-dismiss]", (button) => button.closest(".callout")?.remove());
each("dialog[data-auto-open]", (dialog) => {
  if (!dialog.open) dialog.showModal();
});

// a name that has to be typed before the act: the browser's own validity message keeps the form from being sent
on("input", "[data-must-equal]", (input) => mustEqual(input));
each("[data-must-equal]", mustEqual);

function mustEqual(input) {
  const right = input.value.trim() === input.dataset.mustEqual;
  input.setCustomValidity(right ? "" : input.dataset.mustEqual);
  const submit = input.form?.querySelector("[type=submit]");
  if (submit) submit.disabled = !right;
}
