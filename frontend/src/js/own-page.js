// In a frame of its site's own page: what a module's links and forms lead to may stand in that frame as well. The word for it
// is in the address, and only its value can open what is closed elsewhere, so that a mere 1 goes along.
import { on } from "./dom.js";

const WORD = "_page";
const here = new URL(location.href);
const leadsOn = (address) => address.origin === here.origin && !address.searchParams.has(WORD);

function withWord(address) {
  address.searchParams.set(WORD, "1");
  return address.href;
}

if (here.searchParams.has(WORD)) {
  on("click", "a[href]", (link) => {
    const address = new URL(link.href, here);
    if (!link.target && !link.getAttribute("href").startsWith("#") && leadsOn(address)) link.href = withWord(address);
  });
  on("submit", "form", (form) => {
    const address = new URL(form.getAttribute("action") || here, here);
    if (form.target || address.origin !== here.origin) return;
    if (form.method === "post") {
      if (leadsOn(address)) form.setAttribute("action", withWord(address));
    } else if (!form.elements.namedItem(WORD)) {
      // what a form asks for takes the place of the whole query
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: WORD, value: "1" }));
    }
  });
}
