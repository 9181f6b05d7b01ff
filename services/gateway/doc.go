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
// requests and sockets that are under way, at every gateway: at the one that was asked
// at once, at the others within 5 s, since each looks for sign-outs every 2 s. A token
// that a program holds is good until it expires.
//
// # What one client may have
//
// A person may have 100 requests, streams and sockets under way, whether a cookie, a
// ticket or a token says who it is; a client address may have MaxPerAddress. Viewers
// have no name and are told apart by their address, and so is whoever creates guests
// or tries cookies, tickets, refresh tokens or operator's keys that are nobody's.
// Importers and services act for many people and are not counted. Behind another
// proxy all clients have its address, unless it is one of TrustedProxies. Each service
// learns a client's address from a header that the gateway signs.
//
// An account that nobody has signed in to for 31 days, a day longer than a session
// lasts, is deleted; rides and points do not depend on it.
//
// Tokens live for 15 minutes and are checked by every service itself; what the
// gateway keeps (schema account) are accounts, hashed session secrets and
// hashed one-time socket tickets. So a gateway can be killed at any time and
// any number of them can run: a browser keeps its cookie and asks for a new
// ticket.
package gateway
