// The preview beside an editor, drawn by the server a moment after the last change; and what this browser keeps unsent.

const PAUSE = 300;

// A request for a document parses markup without running anything of it, and needs no exception from the policy.
export function previewer(form, drawn = () => {}) {
  const place = document.querySelector("#preview-place");
  const others = document.querySelector("#others");
  const state = form.querySelector(".editor-state");
  let timer;
  let asked;

  function ask() {
    asked?.abort();
    asked = new XMLHttpRequest();
    asked.open("POST", form.dataset.preview);
    asked.responseType = "document";
    const request = asked;
    request.onload = () => {
      const seen = request.status === 200 && request.response?.querySelector("#preview");
      if (seen) {
        place.replaceChildren(document.adoptNode(seen));
        const people = request.response.querySelector("#others");
        if (people && others.textContent !== people.textContent) {
          others.replaceChildren(...[...people.childNodes].map((one) => document.adoptNode(one)));
        }
        drawn();
      }
      state.textContent = seen ? "" : state.dataset.failed;
    };
    request.onerror = () => {
      state.textContent = state.dataset.failed;
    };
    request.send(new FormData(form));
  }

  return () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  };
}

// Both views of an item are kept under one name: what was written in the one can be taken up in the other.
export class Copy {
  constructor(form) {
    const reader = document.querySelector("meta[name=reader]")?.content;
    this.form = form;
    this.key = `studio:${reader}:${form.dataset.key}`;
    this.first = `studio:${reader}:${form.dataset.first}`;
  }

  keep(value, key = this.key) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // A browser that keeps nothing still has the page.
    }
  }

  found(key = this.key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  // What the server shows as kept needs no copy here; after a first save it was copied under the form for a new item.
  settle(kept) {
    if (this.form.dataset.unkept) return;
    for (const key of [this.key, this.first]) {
      if (this.found(key)?.trim() === kept.trim()) this.keep(null, key);
    }
  }

  // Offers what was found to be taken up again, where it is not what the page shows.
  offer(kept, restore, focus) {
    const found = this.found();
    if (found === null || found.trim() === kept.trim()) return;
    const note = this.form.querySelector(".editor-kept");
    note.hidden = false;
    note.querySelector("[data-restore]").addEventListener("click", () => {
      restore(found, note);
    });
    note.querySelector("[data-forget]").addEventListener("click", () => {
      this.keep(null);
      note.hidden = true;
      focus.focus();
    });
  }
}

// Ctrl+S keeps, Ctrl+Enter keeps and asks for a review.
export function keys(form) {
  document.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    const action = { s: "save", Enter: "ask" }[event.key];
    const button = action && form.querySelector(`[value=${action}]`);
    if (!button) return;
    event.preventDefault();
    form.requestSubmit(button);
  });
}
