import GRDB
import Reactor

/// `/devices/{id}/measurements`: `GET`. What comes in is `MeasurementUpload`'s.
struct MeasurementRoutes: Sendable {
  let services: Services

  /// Rows that are read at a time for a streamed answer: hundreds of those may be under way, and other reads wait for one
  /// piece of each.
  private static let rows = 500

  /// `GET ?from&to&metric&cursor&limit`, on a reader. JSON comes in pages; with `Accept: text/csv` or
  /// `application/x-ndjson` all of the range comes at once, read piece by piece as the client takes it.
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
        let format = ReadingFormat(accept: request.value(of: "accept"))
        if format != .json { return stream(page, as: format, to: caller) }
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

extension MeasurementRoutes {
  /// What the caller may see is asked for each piece: it can take them as slowly as it likes.
  private func stream(_ page: ReadingPage, as format: ReadingFormat, to caller: Caller) -> Response {
    let name = EntityID.device.text(page.device.id) + (format == .csv ? ".csv" : ".ndjson")
    let fields = [Response.Field("content-disposition", "attachment; filename=\"\(name)\"")]
    let services = services
    return .stream(.ok, fields: fields, contentType: format.contentType) { writer in
      if format == .csv { try await writer.write(ReadingFormat.csvHeader) }
      var place: ReadingPage.Place?
      repeat {
        let after = place
        let piece = try await services.readers.run {
          try services.store.read { db in
            try Accounts.confirm(caller, in: db)
            _ = try VisibleDevices.find(page.device.id, for: caller, db)
            return try Self.piece(of: page, as: format, after: after, db)
          }
        }
        if !piece.bytes.isEmpty { try await writer.write(piece.bytes) }
        place = piece.next
      } while place != nil
    }
  }

  private static func piece(
    of page: ReadingPage, as format: ReadingFormat, after place: ReadingPage.Place?, _ db: Database
  ) throws -> (bytes: [UInt8], next: ReadingPage.Place?) {
    var json = JSONWriter()
    let device = page.device.id
    let next = try page.read(after: place, limit: rows, db) { meter, reading in
      if format == .csv { return json.csvRow(reading, of: meter, device: device) }
      json.reading(reading, of: meter, device: device)
      json.raw("\n")
    }
    return (json.bytes, next)
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
