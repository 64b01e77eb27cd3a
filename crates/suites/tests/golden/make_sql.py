"""Writes sql.jsonl: the tables, then queries with the answers that SQLite gives.

    python make_sql.py > sql.jsonl

Queries keep to what SQLite and DuckDB read alike: quotients of reals, no order over nulls, patterns that mind case.
"""

import json
import random
import sqlite3

MARKETS = ["Ostend", "Brugge", "Lier", "Mechelen", "Genk"]
WARES = ["salt", "Wool", "wax", "tin_ore", "100% flax", "o'berry"]

DRAW = random.Random(7)
TABLES = {
    "market": (
        ["market_id", "name", "founded", "river"],
        [[i, name, 1100 + 37 * i, [None, "Dijle", "Nete"][i % 3]] for i, name in enumerate(MARKETS)],
    ),
    "trader": (
        ["trader_id", "name", "market_id", "age", "guild"],
        [[i, f"T{i % 9}", i % 6, 20 + (i * 7) % 31, ["weavers", "smiths", None][i % 3]] for i in range(16)],
    ),
    "sale": (
        ["sale_id", "trader_id", "ware", "sacks", "price"],
        [
            [i, DRAW.randrange(18), DRAW.choice(WARES), None if i % 11 == 0 else DRAW.randrange(1, 30), DRAW.randrange(4, 40) / 4]
            for i in range(48)
        ],
    ),
}

QUERIES = """
SELECT name, age FROM trader WHERE age >= 40 ORDER BY age DESC, name, trader_id
SELECT T1.name, T2.name FROM trader AS T1 JOIN market AS T2 ON T1.market_id = T2.market_id ORDER BY T1.trader_id
SELECT T2.name, COUNT(*) FROM trader T1 JOIN market T2 ON T1.market_id = T2.market_id GROUP BY T2.market_id ORDER BY COUNT(*) DESC, T2.name LIMIT 3
SELECT T3.name, SUM(T1.sacks * T1.price) AS worth FROM sale AS T1 JOIN trader AS T2 ON T1.trader_id = T2.trader_id JOIN market AS T3 ON T2.market_id = T3.market_id GROUP BY T3.name HAVING SUM(T1.sacks) > 40 ORDER BY worth DESC
SELECT DISTINCT ware FROM sale
SELECT DISTINCT guild, market_id FROM trader WHERE market_id < 3
SELECT COUNT(DISTINCT ware) FROM sale
SELECT trader_id, COUNT(DISTINCT ware), COUNT(ware), COUNT(*) FROM sale GROUP BY trader_id
SELECT SUM(DISTINCT sacks), AVG(DISTINCT sacks) FROM sale
SELECT COUNT(*), COUNT(sacks) FROM sale
SELECT name FROM trader WHERE name LIKE 'T%' AND age > 45
SELECT DISTINCT ware FROM sale WHERE ware LIKE '%o%'
SELECT DISTINCT ware FROM sale WHERE ware LIKE 'w%'
SELECT DISTINCT ware FROM sale WHERE ware LIKE '_a_t' OR ware LIKE '%ax'
SELECT DISTINCT ware FROM sale WHERE ware NOT LIKE '%a%'
SELECT DISTINCT ware FROM sale WHERE ware LIKE '%o%e%y' OR ware LIKE '100%'
SELECT DISTINCT ware FROM sale WHERE ware = 'o''berry'
SELECT trader_id FROM trader WHERE guild LIKE '%e%'
SELECT trader_id FROM trader WHERE NOT guild LIKE '%e%'
SELECT trader_id FROM trader WHERE guild IN ('weavers', 'bakers')
SELECT trader_id FROM trader WHERE guild NOT IN ('weavers', 'bakers')
SELECT trader_id FROM trader WHERE guild NOT IN ('weavers', NULL)
SELECT trader_id FROM trader WHERE guild IN ('weavers', NULL)
SELECT trader_id FROM trader WHERE NOT (guild = 'weavers' OR age > 40)
SELECT trader_id FROM trader WHERE NOT guild = 'weavers' AND NOT age > 40
SELECT trader_id FROM trader WHERE NOT (guild = 'weavers' AND age > 40)
SELECT trader_id FROM trader WHERE age BETWEEN 25 AND 35
SELECT trader_id FROM trader WHERE age NOT BETWEEN 25 AND 35 AND market_id BETWEEN 1 AND 3
SELECT sale_id FROM sale WHERE sacks NOT BETWEEN 5 AND 25
SELECT trader_id FROM trader WHERE guild IS NULL
SELECT trader_id FROM trader WHERE guild IS NOT NULL AND market_id <> 2
SELECT trader_id FROM trader WHERE guild = NULL
SELECT trader_id FROM trader WHERE guild = 'weavers' OR guild = 'smiths' AND age < 30
SELECT trader_id FROM trader WHERE (guild = 'weavers' OR guild = 'smiths') AND age < 30
SELECT trader_id FROM trader WHERE ((age) > (30)) AND ((guild = 'smiths'))
SELECT sale_id, sacks + 2 * price - 1, (sacks + 2) * price FROM sale WHERE sacks * price > 100
SELECT sale_id, sacks - (3 - 2) - 1, sacks % 4, -3 * sacks FROM sale WHERE sale_id < 14
SELECT sale_id, sacks / 2.0, price / sacks, sacks / 0.0 FROM sale
SELECT MAX(age) - MIN(age), 1.0 * SUM(age) / COUNT(*) FROM trader
SELECT market_id, MAX(age) - MIN(age) AS span FROM trader GROUP BY market_id HAVING span > 10 ORDER BY span DESC, market_id
SELECT name FROM trader WHERE age = (SELECT MAX(age) FROM trader)
SELECT name FROM trader WHERE age > (SELECT AVG(age) FROM trader) AND market_id = (SELECT market_id FROM market WHERE name = 'Lier')
SELECT name FROM market WHERE market_id IN (SELECT market_id FROM trader WHERE age > 45)
SELECT name FROM market WHERE market_id NOT IN (SELECT market_id FROM trader WHERE age > 45)
SELECT trader_id FROM trader WHERE guild NOT IN (SELECT guild FROM trader WHERE age < 30)
SELECT name FROM trader WHERE trader_id NOT IN (SELECT trader_id FROM sale WHERE sale_id IN (SELECT sale_id FROM sale WHERE sacks > 10))
SELECT name FROM trader WHERE trader_id IN (SELECT trader_id FROM sale GROUP BY trader_id HAVING COUNT(*) >= 4)
SELECT (SELECT COUNT(*) FROM sale) - COUNT(*) FROM trader
SELECT market_id, COUNT(*) FROM trader GROUP BY market_id HAVING COUNT(*) > (SELECT COUNT(*) FROM market) - 3
SELECT market_id FROM market UNION SELECT market_id FROM trader
SELECT market_id FROM market UNION ALL SELECT market_id FROM trader WHERE age > 40
SELECT market_id FROM market WHERE founded > 1150 INTERSECT SELECT market_id FROM trader
SELECT market_id FROM market EXCEPT SELECT market_id FROM trader WHERE age > 45
SELECT trader_id FROM trader EXCEPT SELECT trader_id FROM sale EXCEPT SELECT market_id FROM market
SELECT name FROM trader WHERE age > 30 INTERSECT SELECT name FROM trader WHERE age < 40
SELECT name, age FROM trader WHERE age > 40 UNION SELECT name, founded FROM market ORDER BY age DESC, 1 LIMIT 6
SELECT guild FROM trader UNION SELECT river FROM market
SELECT T1.name, T2.ware FROM trader AS T1 LEFT JOIN sale AS T2 ON T1.trader_id = T2.trader_id AND T2.sacks > 20
SELECT T1.name FROM market AS T1 LEFT OUTER JOIN trader AS T2 ON T1.market_id = T2.market_id AND T2.age > 40 WHERE T2.trader_id IS NULL
SELECT T1.name, T2.name FROM trader AS T1, market AS T2 WHERE T1.market_id = T2.market_id AND T2.founded > 1150
SELECT a.name, b.name FROM market a CROSS JOIN market b WHERE a.founded < b.founded
SELECT a.trader_id, b.trader_id FROM trader a JOIN trader b ON a.name = b.name AND a.trader_id < b.trader_id
SELECT a.name FROM market a JOIN trader b ON a.market_id <> b.market_id AND b.age > 48
SELECT a.trader_id, b.trader_id FROM trader a JOIN trader b ON a.guild = b.guild WHERE a.age + b.age = 70 + 2 * 3
SELECT * FROM market WHERE river IS NOT NULL
SELECT T2.* FROM trader AS T1 JOIN market AS T2 ON T1.market_id = T2.market_id WHERE T1.age > 45
SELECT x.n, COUNT(*) FROM (SELECT market_id, COUNT(*) AS n FROM trader GROUP BY market_id) AS x GROUP BY x.n
SELECT AVG(worth) FROM (SELECT SUM(sacks * price) AS worth FROM sale GROUP BY trader_id)
SELECT guild, COUNT(*) FROM trader GROUP BY guild
SELECT guild, market_id, AVG(age) FROM trader WHERE guild IS NOT NULL GROUP BY guild, market_id ORDER BY guild DESC, market_id ASC
SELECT name AS who FROM trader ORDER BY who DESC, age LIMIT 4 OFFSET 2
SELECT trader_id, age % 10 AS last FROM trader ORDER BY age % 10, trader_id DESC
SELECT ware FROM sale GROUP BY ware ORDER BY SUM(price) DESC LIMIT 2
SELECT DISTINCT name FROM trader ORDER BY name DESC LIMIT 3
SELECT COUNT(*) FROM trader WHERE age > 99
SELECT MAX(age), SUM(age), AVG(age), COUNT(age) FROM trader WHERE age > 99
SELECT guild, MAX(age) FROM trader WHERE age > 99 GROUP BY guild
SELECT name FROM "market" WHERE "founded" > 1150 AND `name` != "Genk"
SELECT [name] FROM market WHERE river = "Dijle"
SELECT t.NAME FROM Trader T WHERE T.Age < 24;
SELECT name FROM market WHERE founded > '1150'
SELECT MIN(name), MAX(name) FROM market
SELECT COUNT(*) FROM trader AS t JOIN sale AS s ON t.trader_id = s.trader_id WHERE s.price > 1e0 AND t.guild IN (SELECT guild FROM trader WHERE guild IS NOT NULL)
""".strip().split("\n")


def main():
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    for name, (columns, rows) in TABLES.items():
        kinds = {"name": "TEXT", "river": "TEXT", "guild": "TEXT", "ware": "TEXT", "price": "REAL"}
        typed = ", ".join(f"{column} {kinds.get(column, 'INTEGER')}" for column in columns)
        connection.execute(f"CREATE TABLE {name} ({typed})")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
    print(json.dumps({"tables": [{"name": name, "columns": c, "rows": r} for name, (c, r) in TABLES.items()]}))
    for query in QUERIES:
        rows = [list(row) for row in connection.execute(query)]
        print(json.dumps({"query": query, "rows": rows}))


main()
