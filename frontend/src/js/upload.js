// Files sent with a form: fetch tells nothing of bytes on their way up, so these requests go by XMLHttpRequest, which does.
const filled = (form) => [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length > 0);

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const form = ctx.sourceElement?.closest?.("form:has([data-upload-progress])");
  if (!form || !filled(form)) return;
  ctx.request.timeout = "60m"; // a large file on a slow line
  ctx.fetch = (url, request) => send(url, request, [...form.querySelectorAll("input[type=file]")].filter((input) => input.files.length).map((input) => input.parentElement.querySelector("[data-upload-progress]")));
});

function send(url, request, bars) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(request.method, url);
    for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener("progress", (event) => bars.forEach((bar) => (bar.value = Math.round((100 * event.loaded) / event.total))));
    xhr.upload.addEventListener("load", () => bars.forEach((bar) => bar.removeAttribute("value"))); // now the server works
    xhr.addEventListener("load", () => resolve(answer(xhr)));
    xhr.addEventListener("loadend", () => bars.forEach((bar) => (bar.hidden = true)));
    xhr.addEventListener("error", () => reject(new TypeError("The connection was lost.")));
    xhr.addEventListener("abort", () => reject(new DOMException("Stopped", "AbortError")));
    request.signal?.addEventListener("abort", () => xhr.abort());
    bars.forEach((bar) => (bar.hidden = false));
    xhr.send(request.body);
  });
}

function answer(xhr) {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().trim().split(/[\r\n]+/)) {
    const at = line.indexOf(":");
    if (at > 0) headers.append(line.slice(0, at), line.slice(at + 1).trim());
  }
  const made = new Response([204, 205, 304].includes(xhr.status) ? null : xhr.responseText, { status: xhr.status, headers });
  // hx-csp believes the nonces of answers from this origin alone, and asks the answer where it came from
  return Object.defineProperty(made, "url", { value: xhr.responseURL });
}
