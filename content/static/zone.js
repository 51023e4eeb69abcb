// The schedule of talks in the reader's own time zone, asked for once; the server remembers it.

const form = document.querySelector("form[data-zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = form && own && [...form.elements.zone.options].some((option) => option.value === own);
if (known && own !== form.dataset.zone) {
  const address = new URL(location.href);
  address.searchParams.set("zone", own);
  location.replace(address);
}
