import Reactor

/// `/metrics`: what the server counts, in the OpenMetrics text format, from memory, for anybody. It names no user.
struct MetricsRoute {
  let server: Server
  let hub: Hub
  let writer: Writer

  func get(_ request: borrowing RequestView, _ responder: Responder) -> Response? {
    var text = OpenMetricsText()
    addConnections(to: &text)
    addMessages(to: &text)
    text.counter("process_cpu_seconds", "User and system time.", ProcessMetrics.cpuSeconds)
    text.gauge(
      "process_resident_memory_bytes", unit: "bytes", "Memory that is resident.", ProcessMetrics.residentBytes
    )
    return Response(.ok, body: text.finished(), contentType: OpenMetricsText.contentType)
  }

  private func addConnections(to text: inout OpenMetricsText) {
    text.gauge("wattloop_connections", "Connections that are open, of every kind.", server.connectionCount)
    text.gauge("wattloop_websockets", "WebSockets that are open.", hub.sessions.count)
    text.counter("wattloop_connections_opened", "Connections that were accepted.", server.openedCount)
    text.counter(
      "wattloop_connections_closed", "Connections that have ended, by the reason.", by: "reason",
      CloseReason.allCases.map { ("\($0)", server.closeCounts[Int($0.rawValue)]) })
    text.counter(
      "wattloop_http_answers", "Answers over HTTP, by the class of their status.", by: "status",
      server.answerCounts.enumerated().map { ("\($0 + 1)xx", $1) })
  }

  private func addMessages(to text: inout OpenMetricsText) {
    let chat = hub.metrics
    text.counter(
      "wattloop_messages_accepted",
      "Messages of clients that were taken to be stored: the sum of the outcomes, once the writer has none.",
      chat.taken)
    text.counter(
      "wattloop_messages", "Messages of clients, by what became of them.", by: "outcome",
      [
        ("stored", chat.stored), ("duplicate", chat.duplicates), ("refused", chat.refused),
        ("failed", chat.failed),
      ])
    text.counter("wattloop_own_messages", "Messages that the server itself has said.", chat.ownMessages)
    text.counter(
      "wattloop_message_deliveries",
      "Frames with a new message that were given to sockets at once.", chat.deliveries)
    text.counter(
      "wattloop_events_replayed",
      "Events of every kind that were given to a socket later: after a resume, or from before its first request.",
      chat.replays)
    text.gauge("wattloop_writer_waiting", "Jobs that wait for the writer.", writer.waiting)
    text.histograms(
      "wattloop_stage_seconds",
      "How long each stage of messages took. A tick of the loop: parse, reading its requests and putting them into the "
        + "batch. A batch: queue, until its transaction began; commit, until that was on disk; wake, until the loop heard "
        + "of it; fanout, until all were told; write, until the last send to a socket at the end of that tick.",
      by: "stage",
      [
        ("parse", chat.parse), ("queue", chat.queue), ("commit", chat.commit), ("wake", chat.wake),
        ("fanout", chat.fanout), ("write", chat.write),
      ])
  }
}
