// Follows the reading of a file; once it is read, cancelled or has failed, the page is loaded anew.

const reading = document.getElementById("reading");
const progress = document.getElementById("progress");
const said = document.getElementById("said");
const words = { reading: reading.dataset.reading, comparing: reading.dataset.comparing };

async function look() {
  try {
    const answer = await fetch(reading.dataset.address, { headers: { Accept: "application/json" } });
    const { state, step, count } = await answer.json();
    if (state !== "queued" && state !== "reading") {
      location.reload();
      return;
    }
    progress.value = step === "comparing" ? 2 : 1;
    if (words[step]) said.textContent = words[step].replace("{count}", count);
  } catch {
    // The reading goes on at the server; the next look will tell.
  }
  setTimeout(look, Number(reading.dataset.pause));
}

look();
