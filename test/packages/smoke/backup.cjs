const { verify } = require("@mirrorpool/backup");

verify({ from: "/nowhere" }).catch((error) => console.log(JSON.stringify({ code: error.code })));
