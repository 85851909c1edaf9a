"""Data files (CSV, JSON, Avro, Parquet) as tables for a user's SQL, by DuckDB in process.

In: files and a query over the view `data`. Out: typed rows, and every line or row that became
none, with its number and the reason. What may surprise: DuckDB does not split the lines of a CSV
file here. Measured with DuckDB 2.0.1: in strict mode one line end of another kind makes a whole
file unreadable, and a quote that is never closed takes all lines after it into one error; in lax
mode surplus cells vanish. So `csv_lines` splits lines (Python's csv module, strict), and DuckDB
does types, paths, joins, grouping and order.
"""
