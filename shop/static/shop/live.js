// Pages that change by themselves (shop/base/live.py): what a person has open in one, and is about to do, stays.

// --- The stream -----------------------------------------------------------------------------------------------------

// An EventSource that rests while its tab is hidden: a browser opens six connections to a server and no more, and ten
// order pages in ten tabs would leave none for anything else. It tells htmx's extension what an EventSource would.
class Stream extends EventTarget {
  constructor(address) {
    super();
    this.address = new URL(address, location.href);
    this.names = new Set();
    this.inner = null;
    this.closed = false;
    this.look = () => (document.hidden ? this.rest() : this.open());
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  get readyState() {
    return this.closed ? EventSource.CLOSED : this.inner ? this.inner.readyState : EventSource.CONNECTING;
  }

  open() {
    if (this.inner || this.closed) return;
    this.inner = new EventSource(this.address);
    this.inner.onopen = (event) => {
      connected(true);
      if (this.onopen) this.onopen(event);
    };
    this.inner.onerror = (event) => {
      connected(false);
      if (this.inner.readyState !== EventSource.CLOSED) return; // the browser asks again by itself
      this.close();
      if (this.onerror) this.onerror(event); // the extension begins another one, and notes an error
    };
    this.names.forEach((name) => this.hear(name));
  }

  hear(name) {
    this.inner.addEventListener(name, (event) => {
      behind = true;
      this.address.searchParams.set("version", event.lastEventId);
      this.dispatchEvent(new MessageEvent(name, { data: event.data, lastEventId: event.lastEventId }));
    });
  }

  addEventListener(name, listener, options) {
    super.addEventListener(name, listener, options);
    if (this.names.has(name)) return;
    this.names.add(name);
    if (this.inner) this.hear(name);
  }

  rest() {
    if (this.inner) this.inner.close();
    this.inner = null;
  }

  close() {
    this.rest();
    this.closed = true;
    document.removeEventListener("visibilitychange", this.look);
  }
}

htmx.createEventSource = (address) => new Stream(address);

// --- The dot that says whether the page is live: <span class="live-dot" hidden data-lost="…">live</span> ---------------

const GIVEN_UP_AFTER = 5000; // ms without a stream
let lost = null;

function connected(on) {
  if (on) {
    clearTimeout(lost);
    lost = null;
    dots(true);
  } else if (lost === null) {
    lost = setTimeout(dots, GIVEN_UP_AFTER, false);
  }
}

function dots(on) {
  for (const dot of document.querySelectorAll(".live-dot")) {
    dot.dataset.live = dot.dataset.live || dot.textContent;
    dot.textContent = on ? dot.dataset.live : dot.dataset.lost || "not live: the connection is lost";
    dot.classList.toggle("lost", !on);
    dot.hidden = false;
  }
}

// --- The part that is swapped: #live ------------------------------------------------------------------------------------

const LATER = 2000; // ms until a swap is tried again that would have taken something out of a person's hands, or failed
const SETTLED = 100; // ms after an answer, when htmx listens to what it has swapped in
const FOCUSABLE = "a[href], button, summary, input, [tabindex]";
const TYPED_INTO = "input:not([type=checkbox], [type=radio]):focus, select:focus, textarea:focus";
const SCROLLED = ".wide, [data-scroll]";
let kept = null;
let served = ""; // what the part was made of last
let fresh = Date.now();
let behind = false; // whether something has changed since the part was asked for: htmx forgets what it hears meanwhile
let catching = null;

// Whether a person is at something in it that a swap would spoil.
function busy(live) {
  const changed = (field) =>
    field.type === "checkbox" || field.type === "radio"
      ? field.checked !== field.defaultChecked
      : field.options
        ? [...field.options].some((option) => option.selected !== option.defaultSelected && field.selectedIndex > 0)
        : field.defaultValue !== undefined && field.value !== field.defaultValue;
  const selection = getSelection();
  return (
    live.querySelector("dialog[open]") !== null ||
    live.querySelector(TYPED_INTO) !== null ||
    [...live.querySelectorAll("input, select, textarea")].some(changed) ||
    (!selection.isCollapsed && selection.containsNode(live, true))
  );
}

function keyed(live) {
  return [...live.querySelectorAll("details")].map((details, number) => [details.id || details.dataset.key || number, details]);
}

function named(element) {
  return element.id || element.getAttribute("href") || element.textContent.trim() || `${element.name} ${element.value}`;
}

function remember(live) {
  kept = {
    open: new Map(keyed(live).map(([key, details]) => [key, details.open])),
    focus: live.contains(document.activeElement) ? named(document.activeElement) : null,
    scrolled: [...live.querySelectorAll(SCROLLED)].map((element) => [element.scrollLeft, element.scrollTop]),
    top: scrollY,
  };
}

function restore(live) {
  if (!kept) return;
  for (const [key, details] of keyed(live)) {
    if (kept.open.has(key)) details.open = kept.open.get(key);
  }
  [...live.querySelectorAll(SCROLLED)].forEach((element, number) => {
    const [left, top] = kept.scrolled[number] || [0, 0];
    element.scrollLeft = left;
    element.scrollTop = top;
  });
  if (kept.focus !== null && document.activeElement === document.body) {
    const focused = [...live.querySelectorAll(FOCUSABLE)].find((element) => named(element) === kept.focus);
    if (focused) focused.focus({ preventScroll: true });
  }
  if (scrollY !== kept.top) scrollTo(scrollX, kept.top);
}

function later() {
  behind = true;
  catchUp(LATER);
}

// One timer for all that has changed meanwhile, however often that is told.
function catchUp(after) {
  clearTimeout(catching);
  catching = setTimeout(() => behind && refresh(), after);
}

function refresh() {
  const live = document.getElementById("live");
  if (live && !document.hidden) htmx.trigger(live, "refresh");
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const live = event.detail.elt;
  if (live.id !== "live") return;
  fresh = Date.now();
  if (busy(live)) {
    event.preventDefault();
    later();
  } else {
    behind = false;
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, serverResponse, shouldSwap } = event.detail;
  if (elt.id !== "live" || !shouldSwap) return;
  if (busy(elt)) {
    event.detail.shouldSwap = false;
    later();
  } else if (!/id="live"/.test(serverResponse)) {
    event.detail.shouldSwap = false; // another page, such as the one to log in
    location.reload();
  } else if (same(serverResponse)) {
    event.detail.shouldSwap = false;
  } else {
    remember(elt);
  }
});

// A page that is served as before is left alone. Each has a token of its own in its forms, and both are good.
function same(response) {
  const before = served;
  served = response.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
  return served === before;
}

// Whether it gets through is what the dot says, stream or not. What has not, is asked for again.
document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, successful } = event.detail;
  if (requestConfig.elt.id !== "live") return;
  connected(successful);
  behind ||= !successful;
  catchUp(successful ? SETTLED : LATER);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "live") return;
  restore(event.target);
  tickable(event.target.querySelectorAll("tr input.action-select"));
});

// The admin's own script, for the boxes of new rows. What it listens to for the old ones ends: it would stay for ever.
let ticking = null;
function tickable(boxes) {
  if (!window.Actions || !boxes.length) return;
  if (ticking) ticking.abort();
  ticking = new AbortController();
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (name, listener) {
    listen.call(this, name, listener, { signal: ticking.signal });
  };
  try {
    window.Actions(boxes);
  } finally {
    EventTarget.prototype.addEventListener = listen;
  }
}

// Ages and times to come move on though nothing has changed: <div id="live" data-again="5">, in seconds.
setInterval(() => {
  const live = document.getElementById("live");
  if (live && live.dataset.again && Date.now() - fresh > 1000 * live.dataset.again) refresh();
}, 1000);
document.addEventListener("visibilitychange", () => {
  const live = document.getElementById("live");
  if (live && (behind || live.dataset.again)) refresh();
});
