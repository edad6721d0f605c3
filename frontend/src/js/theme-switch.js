// The appearance buttons: at once, and in a cookie for the next page. Without scripts the form posts.
import { on } from "./dom.js";

const YEAR_S = 31536000;

on("submit", "[data-theme-form]", (form, event) => {
  const chosen = event.submitter?.value;
  if (!chosen) return;
  event.preventDefault();
  const root = document.documentElement;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${chosen}; path=/; max-age=${YEAR_S}; samesite=lax${secure}`;
  root.dataset.theme = chosen;
  root.classList.toggle("dark", chosen === "dark" || (chosen === "system" && matchMedia("(prefers-color-scheme: dark)").matches));
  form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button === event.submitter)));
});
