package main

const (
	gatewayDir    = "services/gateway/"
	httpserverDir = "services/internal/httpserver/"
	locationDir   = "services/location/"
)

// front are bugs of what stands before the services: the gateway, tokens, the
// HTTP server, and location, which tells drivers what is durable.
func front() []mutant {
	return []mutant{
		{
			name: "a city of another version is kept for good", file: gatewayDir + "city.go", tests: "TestTheCityIsKept",
			before: "served.serve(w, r, asked == version)",
			after:  "served.serve(w, r, true)",
		},
		{
			name: "a city whose file has another content has the same version", file: gatewayDir + "city.go", tests: "TestAnotherCity",
			before: "_, _ = sum.Write(content)",
			after:  "_ = content",
		},
		{
			name: "a socket ticket works twice", file: gatewayDir + "store.go", quick: true, tests: "TestSocketTicketWorksOnceForItsRole",
			before: "WITH used AS (DELETE FROM account.socket_tickets WHERE ticket_hash = $1 RETURNING role, subject, expires_at)",
			after:  "WITH used AS (SELECT role, subject, expires_at FROM account.socket_tickets WHERE ticket_hash = $1)",
		},
		{
			name: "a socket ticket never expires", file: gatewayDir + "store.go", tests: "TestWhatHasExpiredOpensNothing",
			before: "SELECT role, subject FROM used WHERE expires_at > now()", after: "SELECT role, subject FROM used",
		},
		{
			name: "a session never expires", file: gatewayDir + "store.go", tests: "TestWhatHasExpiredOpensNothing",
			before: "AND secret_hash = $1 AND expires_at > now()`", after: "AND secret_hash = $1`",
		},
		{
			name: "signing out leaves the session", file: gatewayDir + "store.go", tests: "TestWhatHasExpiredOpensNothing",
			before: "`DELETE FROM account.sessions WHERE role = $1 AND subject = $2`", after: "`SELECT FROM account.sessions WHERE role = $1 AND subject = $2`",
		},
		{
			name: "an account whose person is signed in is deleted", file: gatewayDir + "store.go", tests: "TestAccountsThatNobody",
			before: "\n\t\tAND NOT EXISTS (SELECT FROM account.sessions s WHERE s.role = a.role AND s.subject = a.subject)", after: "",
		},
		{
			name: "a rider reads an operator's words", file: "services/booking/redact.go", tests: "TestOnlyOperatorsRead",
			before: "case strings.HasPrefix(e.By, string(auth.Admin)+\" \"):", after: "case strings.HasPrefix(e.By, string(auth.Viewer)+\" \"):",
		},
		{
			name: "a cookie is a refresh token", file: gatewayDir + "store.go", tests: "TestACookieIsNoRefreshToken",
			before: "WHERE kind = $2 AND", after: "WHERE $2 <> '' AND",
		},
		{
			name: "signing out leaves the sockets", file: gatewayDir + "http.go", tests: "TestSigningOutEnds",
			before: "g.underWay.End(httpserver.Person(nil, id))", after: "",
		},
		{
			name: "any operator's key is right", file: gatewayDir + "http_tokens.go", quick: true, tests: "TestTokensForPrograms",
			before: "subtle.ConstantTimeCompare([]byte(key), []byte(g.cfg.OperatorKey)) != 1", after: "subtle.ConstantTimeCompare([]byte(key), []byte(g.cfg.OperatorKey)) > 1",
		},
		{
			name: "a guest names itself", file: gatewayDir + "http_tokens.go", tests: "TestTokensForPrograms",
			before: "\tif in.Subject != \"\" {\n", after: "\tif false {\n",
		},
		{
			name: "the cookie of one role opens another", file: gatewayDir + "browser.go", tests: "TestACookieIsOfOneRole",
			before: "case id.Role != role:", after: "case id.Role == \"\":",
		},
		{
			name: "a ticket of one role opens another's socket", file: gatewayDir + "browser.go", tests: "TestSocketTicketWorksOnceForItsRole",
			before: "if err != nil || id.Role != b.role {", after: "if err != nil {",
		},
		{
			name: "another page's request is passed on", file: gatewayDir + "browser.go", tests: "TestOtherOriginsAreRefused",
			before: "if r.Method != http.MethodGet && r.Method != http.MethodHead && !", after: "if r.Method == http.MethodTrace && !",
		},
		{
			name: "a cookie is sent to every path", file: gatewayDir + "browser.go", tests: "TestACookieIsOfOneRole",
			before: "Path: path, MaxAge", after: "Path: path[:1], MaxAge",
		},
		{
			name: "a service sees the browser's cookies", file: gatewayDir + "proxy.go", tests: "TestOneBrowserIsThreePeopleInThreeTabs",
			before: "r.Out.Header.Del(\"Cookie\")", after: "r.Out.Header.Del(\"Cookies\")",
		},
		{
			name: "a token without an end is taken", file: "services/internal/auth/auth.go",
			before: "jwt.WithExpirationRequired(), ", after: "",
		},
		{
			name: "a token lives longer than the longest", file: "services/internal/auth/auth.go",
			before: "now.Add(min(life, MaxLife))", after: "now.Add(life)",
		},
		{
			name: "a token lives longer than the longest, whoever signed it", file: "services/internal/auth/auth.go",
			before: "|| c.ExpiresAt.Sub(c.IssuedAt.Time) > MaxLife", after: "",
		},
		{
			name: "any name is the server's", file: httpserverDir + "hosts.go", quick: true,
			before: "case !h.Known(r):", after: "case r.Host == \"\":",
		},
		{
			name: "another program's page on loopback is ours", file: httpserverDir + "hosts.go",
			before: "return port == ownPort\n", after: "return true\n",
		},
		{
			name: "a member's path has Go's embedded structs", file: httpserverDir + "request.go", tests: "TestAMemberOfAnotherType",
			before: "if !field.Anonymous || field.Tag.Get(\"json\") != \"\" {", after: "if name != \"\" {",
		},
		{
			name: "an unchanged ride is sent again", file: "services/booking/http_etag.go", tests: "TestARidesETag|TestTheDescribedErrors",
			before: "strings.TrimPrefix(one, \"W/\") == tag", after: "one == tag[1:]",
		},
		{
			name: "a member may be there twice", file: httpserverDir + "members.go",
			before: "case seen[name]:", after: "case false:",
		},
		{
			name: "a body may take for ever", file: httpserverDir + "conn.go",
			before: "_ = out.rc.SetReadDeadline(time.Now().Add(within))", after: "_ = within",
		},
		{
			name: "every role may use every route", file: httpserverDir + "engine.go", quick: true, tests: "TestErrorsBecomeProblemsInOnePlace",
			before: "if !r.Public && !hasRole(r.Roles, id.Role) {", after: "if false {",
		},
		{
			name: "one address may have all connections", file: httpserverDir + "conns.go", tests: "TestConnectionsAreBounded",
			before: "case g.by[address] >= g.most/2 &&", after: "case g.by[address] >= g.most &&",
		},
		{
			name: "connections are not bounded", file: httpserverDir + "conns.go", tests: "TestConnectionsAreBounded",
			before: "case g.open >= g.most:", after: "case g.open < 0:",
		},
		{
			name: "a closed connection keeps its place", file: httpserverDir + "conns.go", tests: "TestConnectionsAreBounded",
			before: "\t\tg.open--\n", after: "",
		},
		{
			name: "the next try after a full cap is after a second", file: httpserverDir + "cap.go", tests: "TestACapIsForEachClient",
			before: "min(max(since, time.Second), longestWait)", after: "min(time.Second, longestWait+since)",
		},
		{
			name: "anybody's X-Forwarded-For is believed", file: httpserverDir + "address.go", tests: "TestForwardedAddresses",
			before: "i >= 0 && p.trust(at); i--", after: "i >= 0; i--",
		},
		{
			name: "the client writes its own address", file: httpserverDir + "address.go", tests: "TestForwardedAddresses",
			before: "i := len(hops) - 1; i >= 0 && p.trust(at); i--", after: "i := 0; i < 1 && p.trust(at); i++",
		},
		{
			name: "the gateway's word needs no signature", file: "services/internal/auth/vouch.go", packages: []string{"services/internal/httpserver"}, tests: "TestTheGatewaysWordIsSigned",
			before: "if err != nil || !hmac.Equal(mac, s.mac(address)) {", after: "if false && !hmac.Equal(mac, s.mac(address)) && err == nil {",
		},
		{
			name: "all viewers are one", file: httpserverDir + "address.go", tests: "TestViewersAreToldApart",
			before: `return "viewer@" + Client(r)`, after: `return "viewer@"`,
		},
		{
			name: "streams of one person are not bounded", file: httpserverDir + "engine.go", tests: "TestStreamsOfOnePerson",
			before: "if !r.Stream {\n\t\treturn func() {}, nil", after: "if true {\n\t\treturn func() {}, nil",
		},
		{
			name: "a refusal waits for the body", file: httpserverDir + "conn.go", tests: "TestRefusalsDoNotWait",
			before: "if a.body != nil && !a.body.ended.Load() {", after: "if false {",
		},
		{
			name: "half a surrogate pair is taken", file: httpserverDir + "members.go", tests: "TestABodyMeansOneThing",
			before: `half != "" {`, after: `half == "x" {`,
		},
		{
			name: "checks share one deadline", file: httpserverDir + "builtin.go", tests: "TestChecksRunSideBySide",
			before: "\t\twg.Go(func() {", after: "\t\twg.Wait()\n\t\twg.Go(func() {",
		},
		{
			name: "a token's requests are not counted", file: gatewayDir + "browser.go", tests: "TestFloods|TestCookiesTickets",
			before: "g.passOn(w, r, id, api)", after: "api.ServeHTTP(w, r)",
		},
		{
			name: "tickets are not limited", file: gatewayDir + "browser.go", tests: "TestFloods",
			before: "err := b.tickets.Admit(httpserver.Person(r, id)); err != nil", after: "err := error(nil); err != nil",
		},
		{
			name: "secrets may be tried without end", file: gatewayDir + "browser.go", tests: "TestFloods",
			before: "limited != nil {", after: "limited == errLogin {",
		},
		{
			name: "a path with a slash at its end is passed on", file: gatewayDir + "proxy.go", tests: "TestTokensForPrograms",
			before: "if path.Clean(r.URL.Path) != r.URL.Path {", after: "if path.Clean(r.URL.Path) == \"\" {",
		},
		{
			name: "the client's own Tandem-Client reaches the service", file: gatewayDir + "proxy.go", tests: "TestServicesLearn",
			before: "r.Out.Header.Set(httpserver.ClientHeader,", after: "_ = fmt.Sprint(",
		},
		{
			name: "a sign-out ends nothing at other gateways", file: gatewayDir + "signouts.go", tests: "TestSigningOutReaches",
			before: "g.forget(o.Identity)", after: "_ = o",
		},
		{
			name: "a rider books any number of rides", file: "services/domain/ride/create.go", tests: "TestARiderHasSoMany",
			before: "if open > b.MaxOpen {", after: "if open > b.MaxOpen+100 {",
		},
		{
			name: "bookings of one rider do not wait for each other", file: "services/domain/ride/create.go", tests: "TestARiderHasSoMany",
			before: "hashtextextended('ride.open ' || $1, 0)", after: "hashtextextended($1 || random()::text, 0)",
		},
		{
			name: "nobody is limited", file: httpserverDir + "limit.go",
			before: "return wait\n", after: "return 0\n",
		},
		{
			name: "a client who asks on is forgotten with what was used up", file: httpserverDir + "limit.go",
			before: "\tif !ok {\n\t\tbucket", after: "\tif true || ok {\n\t\tbucket",
		},
		{
			name: "an internal error is told to the client", file: "services/internal/problem/problem.go",
			before: `Detail: "Something went wrong on our side. Try again.", Err: err}`, after: `Detail: err.Error(), Err: err}`,
			packages: []string{"services/internal/problem", "services/internal/httpserver"},
		},
		{
			name: "a body with more after its JSON is taken", file: httpserverDir + "request.go",
			before: "if _, err := dec.Token(); !errors.Is(err, io.EOF) {", after: "if false {",
		},
		{
			name: "a misspelt member is ignored", file: httpserverDir + "request.go",
			before: "dec.DisallowUnknownFields()", after: "_ = 0",
		},
		{
			name: "location answers 202 for what the stream did not acknowledge", file: locationDir + "http.go", quick: true, tests: "TestWhatIsNotDurableIsSaid",
			before: "\tif acked < len(good) {", after: "\tif acked == 0 {",
		},
		{
			name: "every role may end a ride", file: "services/booking/http.go", tests: "TestTheDocumentIsCurrent", packages: []string{"services/test/authz"},
			before: `Roles: []auth.Role{auth.Admin}, Handle: s.end`, after: `Roles: people, Handle: s.end`,
		},
		{
			name: "location says that one point more is durable", file: locationDir + "http.go",
			before: "through = good[acked-1].Seq", after: "through = good[acked].Seq",
		},
		{
			name: "location waits for the stream without an end", file: locationDir + "http.go",
			before: "ctx, cancel := context.WithTimeout(c.Request.Context(), s.putWithin)", after: "ctx, cancel := context.WithCancel(c.Request.Context())",
		},
		{
			name: "a driver writes another driver's location", file: "services/internal/auth/acting.go",
			before: `case named != "" && named != id.Subject:`, after: `case named == "\x00":`, packages: []string{"services/location"},
		},
		{
			name: "any path is a page", file: gatewayDir + "static.go", tests: "TestAppAndCity",
			before: "case slices.Contains(pages(), page):", after: `case slices.Contains(pages(), page) || path.Ext(page) == "":`,
		},
		{
			name: "that nobody has signed in is an error", file: gatewayDir + "http.go", tests: "TestOneBrowserIsThreePeople",
			before: "case errors.Is(err, errLogin):\n\t\tc.Status", after: "case false:\n\t\tc.Status",
		},
		{
			name: "a driver's fix may be from any year", file: locationDir + "check.go",
			before: "case !b.recorded && at.Before(b.now.Add(-maxAge)):", after: "case false:",
		},
		{
			name: "sequences need not rise within a batch", file: locationDir + "check.go",
			before: "if p.Seq <= last.Seq {", after: "if false {",
		},
		{
			name: "a batch below the one before is taken", file: locationDir + "check.go", tests: "TestWhatDoesNotRise",
			before: "if !b.recorded && p.Seq < b.above {", after: "if false {",
		},
		{
			name: "a sequence may lie below its fix time", file: locationDir + "check.go", tests: "TestASequenceFarFrom|TestEachField",
			before: "case p.Seq < p.At:", after: "case false:",
		},
	}
}
