// Enhances pages that work without it.
"use strict";

// Run page: counts and bar move with the run; when it ends the page is loaded once more.
for (const live of document.querySelectorAll("[data-events]")) {
  const source = new EventSource(live.dataset.events);
  source.addEventListener("progress", (event) => {
    const run = JSON.parse(event.data);
    for (const part of live.querySelectorAll("[data-field]")) part.textContent = run[part.dataset.field];
    const bar = live.querySelector("progress");
    if (bar) { bar.max = run.total; bar.value = run.done; }
  });
  source.addEventListener("closed", () => { source.close(); location.reload(); });
}

// Pages that wait for something reload themselves.
for (const wait of document.querySelectorAll("[data-reload]")) {
  setTimeout(() => location.reload(), Number(wait.dataset.reload));
}

// A filter applies itself.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
