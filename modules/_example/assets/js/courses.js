// Past courses look past, where scripts run.
for (const time of document.querySelectorAll(".courses time")) {
  if (new Date(time.dateTime) < new Date()) time.closest("li").dataset.past = "yes";
}
document.documentElement.dataset.example = "ran";
