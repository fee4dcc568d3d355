// Goes through an order's steps without loading the whole page, by click and by arrow keys. Without this, and without
// htmx, each link is a page of its own.

let chosen = false;

function go(address) {
  const live = document.getElementById("live");
  if (!window.htmx || !live) {
    location.assign(address);
    return;
  }
  chosen = true;
  const asked = { source: live, target: live, select: "#live", swap: "outerHTML" };
  window.htmx.ajax("GET", address.split("#")[0], asked).then(() => {
    if (address !== location.href) history.pushState(null, "", address);
    setTimeout(() => (chosen = false), 500);
  });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-step]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(new URL(link.getAttribute("href"), location.href).href);
});

// Behind what live.js does when it settles: that leaves the page where it was.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "live" || !chosen) return;
  chosen = false;
  setTimeout(() => {
    const step = document.getElementById("step");
    step?.scrollIntoView({ block: "nearest" });
    step?.focus({ preventScroll: true });
  });
});

const KEYS = { ArrowLeft: "previous", ArrowRight: "next", Escape: "close" };

document.addEventListener("keydown", (event) => {
  if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || !(event.key in KEYS)) return;
  const link = document.querySelector(`a[data-go="${KEYS[event.key]}"]`);
  if (!link) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("popstate", () => location.reload());
