"use strict";
/*
 * Live parts and forms that are sent once; the only script of our own.
 *
 * <section data-live="/address/of/a/fragment" data-live-seconds="3">…</section>
 *     Its content is replaced by the answer every few seconds (default 3). The refresh ends when the
 *     answer has an element with data-live-done; then the page says so politely, or is loaded anew
 *     where the attribute is data-live-done="reload". It rests while the page is hidden, and slows
 *     down while the server does not answer. Open <details>, focus and scroll positions are kept
 *     for elements with an id.
 * <p class="visually-hidden" data-live-status aria-live="polite"></p>
 *     Inside an answer: an element with data-live-announce has the words that are read out.
 * <form data-submit-once> and every POST form in #content: a second press while the first is under
 *     way does nothing.
 */
(function () {
    const SECONDS = 3;
    const LONGEST_SECONDS = 30;

    function announcer() {
        let place = document.getElementById("live-announcer");
        if (!place) {
            place = document.createElement("p");
            place.id = "live-announcer";
            place.className = "visually-hidden";
            place.setAttribute("role", "status");
            place.setAttribute("aria-live", "polite");
            (document.getElementById("content") || document.body).append(place);
        }
        return place;
    }

    function announce(text) {
        const place = announcer();
        if (text && place.textContent !== text) {
            place.textContent = text;
        }
    }

    function replace(part, html) {
        const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
        const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
        const fragment = new DOMParser().parseFromString(html, "text/html");
        const inner = [...fragment.body.childNodes].map((node) => document.importNode(node, true));
        part.replaceChildren(...inner);
        open.forEach((id) => {
            const again = document.getElementById(id);
            if (again) {
                again.open = true;
            }
        });
        if (focused && document.getElementById(focused)) {
            document.getElementById(focused).focus();
        }
    }

    function follow(part) {
        const usual = Number(part.dataset.liveSeconds) || SECONDS;
        let wait = usual;
        let said = "";

        function later() {
            window.setTimeout(refresh, wait * 1000);
        }

        async function refresh() {
            if (!part.isConnected) {
                return;
            }
            if (document.hidden || part.querySelector("form :focus, dialog[open]")) {
                later();
                return;
            }
            try {
                const answer = await fetch(part.dataset.live, {
                    headers: { "X-Requested-With": "fetch" },
                    credentials: "same-origin",
                });
                if (answer.redirected || answer.status === 401 || answer.status === 403 || answer.status === 404) {
                    window.location.reload();  // logged out, or gone: the page itself says so
                    return;
                }
                if (!answer.ok) {
                    throw new Error(String(answer.status));
                }
                replace(part, await answer.text());
                wait = usual;
            } catch (problem) {
                wait = Math.min(LONGEST_SECONDS, wait * 2);
                later();
                return;
            }
            const words = part.querySelector("[data-live-announce]");
            if (words && words.textContent.trim() !== said) {
                said = words.textContent.trim();
                announce(said);
            }
            const done = part.querySelector("[data-live-done]");
            if (!done) {
                later();
            } else if (done.dataset.liveDone === "reload") {
                window.location.reload();
            }
        }

        if (!part.querySelector("[data-live-done]")) {
            later();
        }
    }

    function sendOnce(event) {
        const form = event.target;
        const guarded = form.matches("[data-submit-once]") || form.closest("#content");
        if (!guarded || form.method !== "post" || event.defaultPrevented || form.target === "_blank") {
            return;
        }
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "yes";
        // a download leaves the page where it is: the form may be sent again after a while
        window.setTimeout(() => delete form.dataset.sent, 4000);
    }

    document.addEventListener("submit", sendOnce);
    // a page that comes back from the browser's memory is ready again
    window.addEventListener("pageshow", () => {
        document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
    });

    function start() {
        announcer();
        document.querySelectorAll("[data-live]").forEach(follow);
    }
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", start);
    } else {
        start();
    }
})();
