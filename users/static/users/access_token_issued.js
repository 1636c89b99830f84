"use strict";
// A reload would send the form again and make another token: it leads to the list instead.
history.replaceState(null, "", document.getElementById("done").href);

document.getElementById("copy").addEventListener("click", async (event) => {
    const secret = document.getElementById("secret");
    secret.select();
    if (navigator.clipboard) {
        await navigator.clipboard.writeText(secret.value);
    } else {
        document.execCommand("copy"); // where the page is served without HTTPS
    }
    event.target.textContent = event.target.dataset.copied;
});
