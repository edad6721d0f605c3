// A page in the Studio's frame tells how far it is scrolled, and begins where the one before it stood.
const hosts = [...document.querySelectorAll('meta[name="framed-by"]')].map((one) => one.content);
const around = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
const host = hosts.includes(around) ? around : hosts[0];
const begin = Number(/^#y=(\d+)$/.exec(location.hash)?.[1] ?? 0);

addEventListener("load", () => {
  if (begin) scrollTo({ top: begin, behavior: "instant" });
  if (host && parent !== window) {
    const tell = () => parent.postMessage({ type: "preview:scroll", y: Math.round(scrollY) }, host);
    addEventListener("scroll", tell, { passive: true });
  }
});
