// From one page of the frame to the next: the fragment goes along, so that the next page can greet too.

const SESSION = "dramac_session";
let session = "";

const isOurs = (address: string): boolean => new URL(address, location.href).origin === new URL(location.href).origin;

function withFragment(address: string, fragment: string): string {
  const url = new URL(address, location.href);
  url.hash = fragment;
  return url.href;
}

export function keepFragment(fragment: string): void {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[href]") : null;
    if (!link || link.target || link.getAttribute("href")!.startsWith("#") || !isOurs(link.href)) return;
    link.href = withFragment(link.href, fragment);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const action = form.getAttribute("action") ?? "";
    if (form.target || !isOurs(action)) return;
    form.setAttribute("action", withFragment(action || location.href, fragment)); // a redirect hands the fragment on
    if (form.method === "post") carrySession(form);
  });
}

/** A session came over the port: a page that waits for one opens with it, an open one sends it along with its forms. */
export function takeSession(token: string): void {
  session = token;
  door()?.requestSubmit();
}

const door = (): HTMLFormElement | null => document.querySelector("form[data-opens]");

/** Whether this stands in place of a closed page, until a session comes. */
export const isWaiting = (): boolean => door() !== null;

/** In the body of a form alone: addresses end up in logs. */
function carrySession(form: HTMLFormElement): void {
  if (!session) return;
  const known = form.querySelector<HTMLInputElement>(`input[name="${SESSION}"]`);
  const input = known ?? Object.assign(document.createElement("input"), { type: "hidden", name: SESSION });
  input.value = session;
  if (!known) form.append(input);
}
