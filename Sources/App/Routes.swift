import Reactor

/// The whole API on one page. The word after each path says where its handler runs; what is `writing` is a task that waits for
/// the writer.
struct Routes {
  let services: Services
  let hub: Hub
  let verifier: TokenVerifier
  let sockets: ChatSocket
  let keySet: KeySetRoute
  let devices: ObjectView<ShownDevice>
  let users: ObjectView<ShownUser>
  let deviceKeys: DeviceKeyRoutes
  /// What a body of measurements may have, bytes.
  let measurementBytes: Int
  let metrics: MetricsRoute
  let isReady: () -> Bool

  func add(to server: Server) {
    let base = API.base
    let anybody = BearerGate.make(verifier)
    let admin = BearerGate.make(verifier, role: .admin)
    let sender = MeasurementGate.make(verifier)
    let attempts = LoginGate.make(services.limiter)
    let readers = services.readers
    let auth = AuthRoutes(services: services)
    let userList = UserListRoute(services: services)
    let userChanges = UserChangeRoutes(services: services)
    let deviceChanges = DeviceRoutes(services: services)
    let conversations = ConversationRoutes(services: services)
    let conversationChanges = ConversationChangeRoutes(services: services)
    let messages = MessageRoutes(hub: hub)
    let messageChanges = MessageChangeRoutes(services: services)
    let search = SearchRoutes(services: services)
    let consumption = ConsumptionRoutes(services: services)
    let measurements = MeasurementRoutes(services: services)
    let upload = MeasurementUpload(services: services, budget: LoopBound(server.bodyBudget))
    let resets = ResetRoutes(services: services)
    let alerts = AlertRoutes(services: services)
    let health = HealthRoutes(isReady: isReady)
    let documents = DocumentRoutes()

    server.route(.get, "/livez", .loop(health.live))
    server.route(.get, "/readyz", .loop(health.ready))
    server.route(.get, "/version", .loop(health.version))
    server.route(.get, "/metrics", .loop(metrics.get))
    server.route(.get, "/.well-known/jwks.json", .loop(keySet.keys))
    server.route(.get, "/openapi.json", .loop(documents.openAPI))
    server.route(.get, "/asyncapi.json", .loop(documents.asyncAPI))
    server.route(.get, "/docs", .loop(documents.page))

    server.route(.post, base + "/auth/login", gate: attempts, .writing(auth.login))
    server.route(.post, base + "/auth/refresh", gate: attempts, .writing(auth.refresh))
    server.route(.post, base + "/auth/logout", gate: anybody, .writing(auth.logout))

    server.route(.get, base + "/users", gate: anybody, .worker(readers, userList.get))
    server.route(.post, base + "/users", gate: admin, .writing(userChanges.create))
    server.route(.get, base + "/users/me", gate: anybody, .loop(users.me))
    server.route(.patch, base + "/users/me", gate: anybody, .writing(userChanges.updateMe))
    server.route(.get, base + "/users/{id}", gate: anybody, .loop(users.get))
    server.route(.patch, base + "/users/{id}", gate: anybody, .writing(userChanges.update))
    server.route(.delete, base + "/users/{id}", gate: admin, .writing(userChanges.delete))

    server.route(.get, base + "/devices", gate: anybody, .worker(readers, deviceChanges.list))
    server.route(.post, base + "/devices", gate: admin, .writing(deviceChanges.create))
    server.route(.get, base + "/devices/{id}", gate: anybody, .loop(devices.get))
    server.route(.patch, base + "/devices/{id}", gate: admin, .writing(deviceChanges.change))
    server.route(.delete, base + "/devices/{id}", gate: admin, .writing(deviceChanges.delete))
    server.route(.get, base + "/devices/{id}/keys", gate: admin, .worker(readers, deviceKeys.list))
    server.route(.post, base + "/devices/{id}/keys", gate: admin, .writing(deviceKeys.create))
    server.route(.delete, base + "/devices/{id}/keys/{key_id}", gate: admin, .writing(deviceKeys.delete))

    server.route(.get, base + "/users/me/consumption", gate: anybody, .worker(readers, consumption.ofUser))
    server.route(
      .get, base + "/users/{id}/consumption", gate: anybody, .worker(readers, consumption.ofUser))

    server.route(
      .get, base + "/devices/{id}/measurements", gate: anybody, .worker(readers, measurements.list))
    server.route(
      .post, base + "/devices/{id}/measurements", gate: sender, bodyLimit: measurementBytes,
      .writing(upload: upload.toOne))
    server.route(
      .post, base + "/measurements", gate: sender, bodyLimit: measurementBytes, .writing(upload: upload.toAny)
    )
    server.route(
      .get, base + "/devices/{id}/consumption", gate: anybody, .worker(readers, consumption.ofDevice))
    server.route(.get, base + "/devices/{id}/resets", gate: anybody, .worker(readers, resets.list))
    server.route(.post, base + "/devices/{id}/resets", gate: admin, .writing(resets.create))
    server.route(.delete, base + "/devices/{id}/resets/{reset_id}", gate: admin, .writing(resets.delete))

    server.route(.get, base + "/alerts", gate: anybody, .worker(readers, alerts.list))
    server.route(.post, base + "/alerts/{id}/acknowledge", gate: anybody, .writing(alerts.acknowledge))

    server.route(.post, base + "/support", gate: anybody, .writing(conversations.support))
    server.route(.get, base + "/conversations", gate: anybody, .worker(readers, conversations.list))
    server.route(.post, base + "/conversations", gate: anybody, .writing(conversations.create))
    server.route(.get, base + "/conversations/{id}", gate: anybody, .worker(readers, conversations.get))
    server.route(.patch, base + "/conversations/{id}", gate: anybody, .writing(conversationChanges.update))
    server.route(
      .post, base + "/conversations/{id}/members", gate: anybody, .writing(conversationChanges.addMembers))
    server.route(
      .delete, base + "/conversations/{id}/members/{user_id}", gate: anybody,
      .writing(conversationChanges.removeMember))
    server.route(
      .get, base + "/conversations/{id}/messages", gate: anybody,
      .worker(readers, MessageRoutes.list(services.store)))
    server.route(.post, base + "/conversations/{id}/messages", gate: anybody, .loop(messages.create))
    server.route(
      .patch, base + "/conversations/{id}/messages/{seq}", gate: anybody, .writing(messageChanges.edit))
    server.route(
      .delete, base + "/conversations/{id}/messages/{seq}", gate: anybody, .writing(messageChanges.delete))
    server.route(.put, base + "/conversations/{id}/read", gate: anybody, .writing(messageChanges.read))
    server.route(.get, base + "/search", gate: anybody, .writing(search.find))

    server.route(.get, base + "/ws", .webSocket(sockets))
  }
}
