// A live page asks for itself once more, and says with what fields it is answered.

const table = document.querySelector(".fields");
const timeline = document.querySelector(".timeline");
const explain = status => {
    const [, ...words] = (status ?? "").split(";").map(word => word.trim());
    const value = name => words.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1);
    if (words.includes("hit")) {
        const left = Number(value("ttl"));
        return left >= 0
            ? `From memory. The copy is fresh for ${left} more seconds.`
            : `From memory, stale for ${-left} seconds: a new copy is made in the background.`;
    }
    if (value("fwd")) return `Made for this request, because of “${value("fwd")}”.`;
    return "";
};

const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Ask again" });
const said = Object.assign(document.createElement("p"), { role: "status" });
if (timeline) timeline.after(button, said);
else table.before(button, said);
const head = table.tHead.rows[0];
head.insertBefore(Object.assign(document.createElement("th"), { scope: "col", textContent: "Sent" }), head.cells[1]);
for (const row of table.tBodies[0].rows) row.insertCell(1).append(document.createElement("code"));
// Where the copy is in its life: the columns of the timeline are 2, 5 and 2 of 9 parts, for 10 seconds, 59, and what comes after.
const place = age => {
    timeline?.classList.toggle("timed", age >= 0);
    const parts = age < 10 ? age / 5 : age < 69 ? 2 + ((age - 10) * 5) / 59 : 8;
    timeline?.style.setProperty("--age", `${(parts / 9) * 100}%`);
};

const ask = async () => {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    for (const row of table.tBodies[0].rows) {
        row.cells[1].firstChild.textContent = answer?.headers.get(row.cells[0].textContent) ?? "not sent";
    }
    place(Number(answer?.headers.get("age") ?? NaN));
    said.textContent = answer ? explain(answer.headers.get("cache-status")) : "The server does not answer.";
};
button.addEventListener("click", ask);
ask();
