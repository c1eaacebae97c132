// The same echo and rooms as reactor-echo, in Node with `ws` (Debian: node-ws).
const http = require("http");
const { WebSocketServer } = require("ws");

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const rooms = new Map();
const server = http.createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end("Hello, World!");
});
server.keepAliveTimeout = 60_000;
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

sockets.on("connection", (socket, request) => {
  if (request.url === "/echo") {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    return;
  }
  const members = rooms.get(request.url) ?? new Set();
  rooms.set(request.url, members.add(socket));
  socket.on("message", (data, isBinary) => {
    for (const member of members) member.send(data, { binary: isBinary });
  });
  socket.on("close", () => members.delete(socket));
});
server.listen(port, "127.0.0.1");
