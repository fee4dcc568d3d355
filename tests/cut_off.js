// What of a page is hidden, clipped or outside the window, as wide as it is now: sentences.
() => {
    const wrong = [], wide = innerWidth, phone = wide < 900;
    const say = (what, where) =>
        wrong.push(`at ${wide}, ${what}: ${where.className || where.tagName}: ${where.innerText.slice(0, 60)}`);
    if (document.documentElement.scrollWidth > wide) say("wider than the window", document.documentElement);
    const cells = "#result_list tbody > tr > *, #result_list thead th, .facts dt, .facts dd, .form-row";
    for (const cell of document.querySelectorAll(cells)) {
        if (phone && cell.closest("thead")) continue; // each cell has its column's name there
        const box = cell.getBoundingClientRect();
        if (!box.width || !box.height || getComputedStyle(cell).visibility !== "visible") say("hidden", cell);
        if (cell.scrollWidth > cell.clientWidth + 1) say("clipped", cell);
        if (box.left < 0 || box.right > wide + 1) say("outside", cell);
        const named = getComputedStyle(cell, "::before").content.length > 2;
        if (phone && cell.dataset.column !== undefined && !named) say("without its column's name", cell);
    }
    for (const part of document.querySelectorAll("#content *:not(.filters ul, select, input, textarea, button, .search label)")) {
        const cuts = getComputedStyle(part).overflowX !== "visible";
        if (cuts && part.clientWidth && part.scrollWidth > part.clientWidth + 1) say("scrolls", part);
    }
    for (const filter of document.querySelectorAll(".filters details")) {
        filter.open = true;
        const box = filter.querySelector("ul").getBoundingClientRect();
        if (box.left < 0 || box.right > wide || document.documentElement.scrollWidth > wide) say("outside", filter);
        filter.open = false;
    }
    for (const number of document.querySelectorAll(".of-order, #result_list .field-order_number a"))
        if (number.getClientRects().length > 1) say("an order's number on two lines", number);
    return wrong;
}
