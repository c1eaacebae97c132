import Reactor

/// The whole API on one page. The word after each path says where its handler runs.
struct Routes {
  let services: Services
  let hub: Hub
  let verifier: TokenVerifier
  let sockets: ChatSocket
  let isReady: () -> Bool

  func add(to server: Server) {
    let base = API.base
    let anybody = BearerGate.make(verifier)
    let admin = BearerGate.make(verifier, role: .admin)
    let attempts = LoginGate.make(services.limiter)
    let readers = services.readers
    let auth = AuthRoutes(services: services)
    let users = UserRoutes(services: services)
    let userChanges = UserChangeRoutes(services: services)
    let conversations = ConversationRoutes(services: services)
    let messages = MessageRoutes(hub: hub)
    let health = HealthRoutes(isReady: isReady)

    server.route(.get, "/livez", .loop(health.live))
    server.route(.get, "/readyz", .loop(health.ready))
    server.route(.get, "/version", .loop(health.version))

    server.route(.post, base + "/auth/login", gate: attempts, .task(auth.login))
    server.route(.post, base + "/auth/refresh", gate: attempts, .task(auth.refresh))
    server.route(.post, base + "/auth/logout", gate: anybody, .task(auth.logout))

    server.route(.get, base + "/users", gate: anybody, .worker(readers, users.list))
    server.route(.post, base + "/users", gate: admin, .task(userChanges.create))
    server.route(.get, base + "/users/me", gate: anybody, .worker(readers, users.me))
    server.route(.patch, base + "/users/me", gate: anybody, .task(userChanges.updateMe))
    server.route(.get, base + "/users/{id}", gate: anybody, .worker(readers, users.get))
    server.route(.patch, base + "/users/{id}", gate: anybody, .task(userChanges.update))
    server.route(.delete, base + "/users/{id}", gate: admin, .task(userChanges.delete))

    server.route(.get, base + "/conversations", gate: anybody, .worker(readers, conversations.list))
    server.route(.post, base + "/conversations", gate: anybody, .task(conversations.create))
    server.route(.get, base + "/conversations/{id}", gate: anybody, .worker(readers, conversations.get))
    server.route(
      .get, base + "/conversations/{id}/messages", gate: anybody,
      .worker(readers, MessageRoutes.list(services.store)))
    server.route(.post, base + "/conversations/{id}/messages", gate: anybody, .loop(messages.create))

    server.route(.get, base + "/ws", .webSocket(sockets))
  }
}
