"use strict";
// Reloading would submit the form again and create another token: go to the list instead.
history.replaceState(null, "", document.getElementById("done").href);

document.getElementById("copy").addEventListener("click", async (event) => {
    const secret = document.getElementById("secret");
    secret.select();
    if (navigator.clipboard) {
        await navigator.clipboard.writeText(secret.value);
    } else {
        document.execCommand("copy"); // without HTTPS
    }
    event.target.textContent = event.target.dataset.copied;
});
