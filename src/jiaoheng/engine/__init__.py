"""The Ibis connection: DuckDB embedded, Spark for a province. Same expressions, same answers."""
