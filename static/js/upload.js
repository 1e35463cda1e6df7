// Shows how far the upload of a backup is; without it the form is sent the ordinary way.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-upload]")) return;
  event.preventDefault();
  const line = form.querySelector("[data-upload-progress]");
  const bar = line.querySelector("progress");
  const words = line.querySelector("p");
  const request = new XMLHttpRequest();
  line.hidden = false;
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = (100 * loaded) / total;
    words.textContent = loaded < total ? `Uploading, ${Math.floor((100 * loaded) / total)} %` : "Checking the file";
  });
  request.addEventListener("error", () => {
    words.textContent = "The upload broke off. Nothing was changed; send it again.";
  });
  // The answer is a page, whether it shows what was found or what was wrong.
  request.addEventListener("load", () => {
    if (request.responseURL !== form.action) {
      location.assign(request.responseURL);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    htmx.process(document.querySelector("main"));
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
});
