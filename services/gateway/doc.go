// Package gateway is Tandem's one origin: the web app, sessions and roles,
// socket tickets, and a reverse proxy to the services behind it.
//
// Two kinds of client come in.
//
//   - A browser has one cookie for each role, scoped to /rider, /driver or
//     /admin, so that one browser can be all three in three tabs. Beneath that
//     path lie the role's API and its socket; the gateway strips the prefix,
//     replaces the cookie by a token and passes the request on. A request
//     that changes something must come from a page of ours: httpserver holds
//     Origin, like Host, against the names of this server, never against each
//     other, since a page whose name leads here can say both.
//   - A program sends a bearer token to /v1/…, which it got from
//     POST /v1/tokens; the gateway passes it on as it is.
//
// Signing out ends all of a person's sessions, refresh tokens and tickets, and the
// requests and sockets that are under way through this gateway; through another
// one, a cookie that it remembers works for a minute longer. Behind another proxy
// all viewers have one address, and share what one may have under way.
//
// Tokens live for 15 minutes and are checked by every service itself; what the
// gateway keeps (schema account) are accounts, hashed session secrets and
// hashed one-time socket tickets. So a gateway can be killed at any time and
// any number of them can run: a browser keeps its cookie and asks for a new
// ticket.
package gateway
