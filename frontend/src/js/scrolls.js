// A region that scrolls by itself stays where it was when an answer draws it anew. data-stays: what it shows; another name is
// another region, which begins anew.
const regions = () => [...document.querySelectorAll("[data-stays]")];
let kept = new Map();

document.addEventListener("htmx:before:swap", () => {
  kept = new Map(regions().map((region) => [region.dataset.stays, { left: region.scrollLeft, top: region.scrollTop }]));
});
document.addEventListener("htmx:after:swap", () => {
  for (const region of regions()) if (kept.has(region.dataset.stays)) region.scrollTo(kept.get(region.dataset.stays));
});
