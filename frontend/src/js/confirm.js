// Questions before an act: data-confirm="…" on a form, or hx-confirm. data-confirm-verb names the button,
// data-confirm-type a word that has to be typed.
import { on } from "./dom.js";

/** Resolves to whether the reader said yes. */
export function ask({ text, verb, word }) {
  const dialog = document.getElementById("confirm");
  if (!dialog || dialog.open) return Promise.resolve(false);
  const yes = dialog.querySelector("[data-confirm-yes]");
  const typing = dialog.querySelector("[data-confirm-typing]");
  const input = typing.querySelector("input");
  yes.dataset.label ??= yes.textContent.trim();
  dialog.querySelector("[data-confirm-title]").textContent = text;
  yes.textContent = verb || yes.dataset.label;
  typing.hidden = !word;
  dialog.querySelector("[data-confirm-word]").textContent = word ?? "";
  input.value = "";
  yes.disabled = Boolean(word);
  input.oninput = () => (yes.disabled = input.value.trim() !== word);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

const agreed = new WeakSet();

// capture: before htmx and before the browser sends the form
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const asks = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!asks.dataset.confirm || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { confirm: text, confirmVerb: verb, confirmType: word } = asks.dataset;
    if (!(await ask({ text, verb, word }))) return;
    agreed.add(form);
    form.requestSubmit(event.submitter);
  },
  { capture: true },
);

document.addEventListener("htmx:confirm", async (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  event.preventDefault();
  const { confirmVerb: verb, confirmType: word } = ctx.sourceElement.dataset;
  if (await ask({ text: ctx.confirm, verb, word })) issueRequest();
  else dropRequest();
});

on("click", "#confirm button[value=no]", (button) => button.closest("dialog").close("no"));
