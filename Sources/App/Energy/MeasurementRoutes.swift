import Reactor

/// `/devices/{id}/measurements`: `GET`. What comes in is `MeasurementUpload`'s.
struct MeasurementRoutes: Sendable {
  let services: Services

  /// `GET ?from&to&metric&cursor&limit`, on a reader.
  @Sendable func list(_ request: Request) -> Response {
    Answer.from {
      let caller = try request.caller()
      let query = try Query(request.query)
      let id = try request.device()
      let limit = try query.limit()
      let after = try ReadingPage.Place.decode(query["cursor"])
      return try services.store.read { db in
        let device = try VisibleDevices.find(id, for: caller, db)
        let page = try ReadingPage(device, query)
        var json = JSONWriter()
        json.raw("{\"items\":[")
        var isFirst = true
        let next = try page.read(after: after, limit: limit, db) { meter, reading in
          if !isFirst { json.raw(",") }
          isFirst = false
          json.reading(reading, of: meter, device: id)
        }
        json.raw("],\"next_cursor\":")
        if let next { json.string(next.cursor) } else { json.raw("null") }
        json.raw("}")
        let link = Link.next(
          next?.cursor, path: request.path, parameters: query.parameters(without: "cursor"))
        return Response(.ok, fields: link, body: json.bytes, contentType: "application/json")
      }
    }
  }
}

extension ReadingPage {
  /// - Throws: `validation` for a metric or a time that cannot be.
  init(_ device: MeteredDevice, _ query: Query) throws(Problem) {
    let name = query["metric"]
    let metric = name.flatMap(device.place(ofMetric:))
    if name != nil && metric == nil {
      throw .validation("?metric", "names no metric of the device")
    }
    self.init(device: device, metric: metric, range: try TimeRange(query, in: device.zone, usual: nil))
  }
}
