// In <head>, before the first paint. The server has already put class="dark" for the cookie "dark"; only "system" needs
// the browser's answer.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  if (root.dataset.theme === "system") root.classList.toggle("dark", dark.matches);
}

follow();
dark.addEventListener("change", follow);
