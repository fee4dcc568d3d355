// Goes through an order's steps without loading the whole page, by click and by arrow keys. Without this, and without
// htmx, each link is a page of its own.
(() => {
  "use strict";

  const live = () => document.getElementById("live");

  function go(address) {
    if (!window.htmx || !live()) {
      location.assign(address);
      return;
    }
    const at = document.querySelector(".drawing")?.scrollLeft ?? 0;
    history.pushState(null, "", address);
    window.htmx.ajax("GET", address.split("#")[0], { target: "#live", select: "#live", swap: "outerHTML" }).then(() => {
      document.querySelector(".drawing")?.scrollTo(at, 0);
      document.getElementById("step")?.scrollIntoView({ block: "nearest" });
      document.getElementById("step")?.focus({ preventScroll: true });
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-step]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(new URL(link.getAttribute("href"), location.href).href);
  });

  const KEYS = { ArrowLeft: "previous", ArrowRight: "next", Escape: "close" };

  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    document.querySelector(`a[data-go="${KEYS[event.key]}"]`)?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  });

  addEventListener("popstate", () => location.reload());
})();
