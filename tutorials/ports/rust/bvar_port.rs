//! A port of Boolean variation in Rust, made fast as a user would: 64-bit words, loops of eight words, sums in i32,
//! gates on planes of 64 samples.  It needs nothing but the standard library: `rustc --edition 2021 -O bvar_port.rs`.
//!
//! What is fast is in three places: `row_sum` (level 3), `add_signed` (level 4) and `look_up` (level 1).

use std::io::{BufRead, Write};

// ------------------------------------------------------------------------------------------------------ JSON

#[derive(Clone, Debug)]
enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

type Answer = Result<Json, String>;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> u8 {
        while self.at < self.text.len() && self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        *self.text.get(self.at).unwrap_or(&0)
    }

    fn value(&mut self) -> Answer {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Ok(Json::Text(self.string()?)),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.integer(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Answer {
        self.at += word.len();
        if self.text[..self.at.min(self.text.len())].ends_with(word.as_bytes()) {
            return Ok(value);
        }
        Err("this is no JSON".into())
    }

    fn integer(&mut self) -> Answer {
        let start = self.at;
        while self.at < self.text.len() && (self.text[self.at] == b'-' || self.text[self.at].is_ascii_digit()) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).map_err(|e| e.to_string())?;
        text.parse().map(Json::Int).map_err(|_| "a number is no integer".to_string())
    }

    fn string(&mut self) -> Result<String, String> {
        let start = self.at + 1;
        let length = self.text[start..].iter().position(|&c| c == b'"').ok_or("a string does not end")?;
        self.at = start + length + 1;
        let text = String::from_utf8_lossy(&self.text[start..start + length]).into_owned();
        if text.contains('\\') {
            Err("strings with escapes are not read".into())
        } else {
            Ok(text)
        }
    }

    /// Members up to the closing bracket; `member` reads one.
    fn members<T>(&mut self, close: u8, member: fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut found = Vec::new();
        self.at += 1;
        while self.peek() != close {
            if !found.is_empty() {
                if self.peek() != b',' {
                    return Err("a comma is missing".into());
                }
                self.at += 1;
                self.peek();
            }
            found.push(member(self)?);
        }
        self.at += 1;
        Ok(found)
    }

    fn list(&mut self) -> Answer {
        self.members(b']', Self::value).map(Json::List)
    }

    fn object(&mut self) -> Answer {
        let pair = |reader: &mut Self| {
            let name = reader.string()?;
            if reader.peek() != b':' {
                return Err("a colon is missing".to_string());
            }
            reader.at += 1;
            Ok((name, reader.value()?))
        };
        self.members(b'}', pair).map(Json::Object)
    }
}

impl Json {
    fn find(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// An argument, or the end of this request: `main` turns the panic into an error for the kit.
    fn get(&self, name: &str) -> &Json {
        self.find(name).unwrap_or_else(|| panic!("{name} is missing"))
    }

    fn list(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            _ => panic!("a list is missing"),
        }
    }

    fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            _ => panic!("a string is missing"),
        }
    }

    fn int(&self) -> i64 {
        match self {
            Json::Int(value) => *value,
            _ => panic!("an integer is missing"),
        }
    }

    fn ints(&self) -> Vec<i64> {
        self.list().iter().map(Json::int).collect()
    }

    fn sizes(&self) -> Vec<usize> {
        self.list().iter().map(|v| v.int() as usize).collect()
    }

    fn matrix(&self) -> Matrix {
        self.list().iter().map(Json::ints).collect()
    }

    fn f64(&self) -> f64 {
        f64::from_bits(u64::from_str_radix(self.text(), 16).expect("sixteen hexadecimal digits"))
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Int(value) => out.push_str(&value.to_string()),
            Json::Text(text) => out.push_str(&format!("{text:?}")),
            Json::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    out.push_str(&format!("{}{name:?}:", if i > 0 { "," } else { "" }));
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn put_ints(values: &[i64]) -> Json {
    Json::List(values.iter().map(|&v| Json::Int(v)).collect())
}

fn put_matrix(rows: &[Vec<i64>]) -> Json {
    Json::List(rows.iter().map(|row| put_ints(row)).collect())
}

fn put_texts(rows: impl IntoIterator<Item = String>) -> Json {
    Json::List(rows.into_iter().map(Json::Text).collect())
}

// ------------------------------------------------------------------------------------------------------ bits

type Matrix = Vec<Vec<i64>>;

/// Rows of bits in words; `known` says which values are there, and is all ones up to the end of a row if all are.
#[derive(Clone, Default)]
struct Bits {
    rows: usize,
    n: usize,
    words: usize,
    value: Vec<u64>,
    known: Vec<u64>,
}

/// The bits of the last word of a row of n that belong to it.
fn tail(n: usize) -> u64 {
    if n % 64 == 0 {
        !0
    } else {
        (1 << (n % 64)) - 1
    }
}

impl Bits {
    fn new(rows: usize, n: usize) -> Bits {
        let words = n.div_ceil(64);
        let mut known = vec![!0; rows * words];
        for row in known.chunks_exact_mut(words.max(1)) {
            row[words - 1] = tail(n);
        }
        Bits { rows, n, words, value: vec![0; rows * words], known }
    }

    fn read(list: &Json, n: usize) -> Bits {
        let texts: Vec<&[u8]> = list.list().iter().map(|row| row.text().as_bytes()).collect();
        let mut bits = Bits::new(texts.len(), texts.first().map_or(n, |text| text.len()));
        for (r, text) in texts.iter().enumerate() {
            for (i, c) in text.iter().enumerate() {
                let (word, bit) = (r * bits.words + i / 64, 1 << (i % 64));
                match c {
                    b'1' => bits.value[word] |= bit,
                    b'u' => bits.known[word] &= !bit,
                    _ => {}
                }
            }
        }
        bits
    }

    fn value(&self, r: usize) -> &[u64] {
        &self.value[r * self.words..(r + 1) * self.words]
    }

    fn known(&self, r: usize) -> &[u64] {
        &self.known[r * self.words..(r + 1) * self.words]
    }

    fn bit(&self, r: usize, i: usize) -> bool {
        self.value[r * self.words + i / 64] >> (i % 64) & 1 == 1
    }

    fn set(&mut self, r: usize, i: usize) {
        self.value[r * self.words + i / 64] |= 1 << (i % 64);
    }

    /// -1, 0 where it is missing, or 1.
    fn sign(&self, r: usize, i: usize) -> i64 {
        let known = self.known[r * self.words + i / 64] >> (i % 64) & 1 == 1;
        if known {
            2 * self.bit(r, i) as i64 - 1
        } else {
            0
        }
    }

    fn rows_of(&self, which: &[usize]) -> Bits {
        let mut out = Bits::new(which.len(), self.n);
        out.value = which.iter().flat_map(|&r| self.value(r).to_vec()).collect();
        out.known = which.iter().flat_map(|&r| self.known(r).to_vec()).collect();
        out
    }

    /// Rows of this, each with a row of the other behind it.
    fn beside(&self, other: &Bits) -> Bits {
        let mut out = Bits::new(self.rows, self.n + other.n);
        for r in 0..self.rows {
            for (part, first) in [(self, 0), (other, self.n)] {
                for i in 0..part.n {
                    let (word, bit) = (r * out.words + (first + i) / 64, 1 << ((first + i) % 64));
                    out.value[word] |= if part.bit(r, i) { bit } else { 0 };
                    out.known[word] &= if part.sign(r, i) == 0 { !bit } else { !0 };
                }
            }
        }
        out
    }

    fn transposed(&self) -> Bits {
        let mut out = Bits::new(self.n, self.rows);
        for r in 0..self.rows {
            for (k, &word) in self.value(r).iter().enumerate() {
                for_each_bit(word, |i| out.set(64 * k + i, r));
            }
        }
        out
    }

    fn text(&self, r: usize) -> String {
        (0..self.n).map(|i| if self.bit(r, i) { '1' } else { '0' }).collect()
    }

    fn json(&self) -> Json {
        put_texts((0..self.rows).map(|r| self.text(r)))
    }
}

fn for_each_bit(mut word: u64, mut does: impl FnMut(usize)) {
    while word != 0 {
        does(word.trailing_zeros() as usize);
        word &= word - 1;
    }
}

fn put_words(words: &[u64]) -> Json {
    put_texts(words.iter().map(|word| format!("{word:016x}")))
}

fn pack(a: &Json) -> Json {
    let rows: Vec<Bits> =
        a.get("rows").list().iter().map(|row| Bits::read(&Json::List(vec![row.clone()]), 0)).collect();
    let plane = |of: fn(&Bits) -> &[u64]| Json::List(rows.iter().map(|row| put_words(of(row))).collect());
    Json::List(vec![plane(|row| &row.value), plane(|row| &row.known)])
}

/// Rows of words as bits; what lies beyond a row is no part of it.
fn read_words(a: &Json) -> Bits {
    let rows = a.get("words").list();
    let mut bits = Bits::new(rows.len(), a.get("n_bits").int() as usize);
    for (r, row) in rows.iter().enumerate() {
        for k in 0..bits.words {
            let word = u64::from_str_radix(row.list()[k].text(), 16).expect("hexadecimal digits");
            bits.value[r * bits.words + k] = word & bits.known[r * bits.words + k];
        }
    }
    bits
}

fn negate(a: &Json) -> Json {
    let bits = read_words(a);
    let row = |r: usize| bits.value(r).iter().zip(bits.known(r)).map(|(v, k)| !v & k).collect::<Vec<_>>();
    Json::List((0..bits.rows).map(|r| put_words(&row(r))).collect())
}

fn count_rows(a: &Json) -> Json {
    let bits = Bits::read(a.get("rows"), 0);
    put_ints(
        &(0..bits.rows).map(|r| bits.value(r).iter().map(|w| w.count_ones() as i64).sum()).collect::<Vec<_>>(),
    )
}

// ------------------------------------------------------------------------------------- levels 0 and 1: logic

fn sign_of(c: char) -> i64 {
    match c {
        '1' => 1,
        '0' => -1,
        _ => 0,
    }
}

fn put_logic(values: impl IntoIterator<Item = i64>) -> Json {
    Json::Text(values.into_iter().map(|v| ['0', 'u', '1'][(v + 1) as usize]).collect())
}

/// e(L(a, b)) on M.
fn gate_value(gate: i64, a: i64, b: i64) -> i64 {
    if a == 0 || b == 0 {
        return 0;
    }
    2 * (gate >> (3 - 2 * (a > 0) as i64 - (b > 0) as i64) & 1) - 1
}

/// e(dL/dw) where x is F, and where it is T.
fn in_weight(gate: i64) -> (i32, i32) {
    let at = |x: i64| ((gate_value(gate, 1, x) - gate_value(gate, -1, x)) / 2) as i32;
    (at(-1), at(1))
}

/// e(dL/dx) where w is F, and where it is T.
fn in_input(gate: i64) -> (i32, i32) {
    let at = |w: i64| ((gate_value(gate, w, 1) - gate_value(gate, w, -1)) / 2) as i32;
    (at(-1), at(1))
}

fn connective(a: &Json) -> Json {
    let pairs = a.get("a").text().chars().zip(a.get("b").text().chars());
    put_logic(pairs.map(|(v, w)| gate_value(a.get("gate").int(), sign_of(v), sign_of(w))))
}

fn mixed(a: &Json) -> Json {
    let (gate, x) = (a.get("gate").int(), a.get("x").ints());
    let one = |(c, &v): (char, &i64)| gate_value(gate, sign_of(c), v.signum()) * v.abs();
    put_ints(&a.get("a").text().chars().zip(&x).map(one).collect::<Vec<_>>())
}

fn delta(a: &Json) -> Json {
    let pairs = a.get("a").text().chars().zip(a.get("b").text().chars());
    put_logic(pairs.map(|(before, after)| (sign_of(after) - sign_of(before)) / 2))
}

fn variations(a: &Json) -> Json {
    let table: Vec<i64> = a.get("table").text().chars().map(|c| (c == '1') as i64).collect();
    let row = |i: i64| put_logic((0..table.len()).map(|p| table[p | 1 << i] - table[p & !(1 << i)]));
    Json::List((0..a.get("n_inputs").int()).map(row).collect())
}

fn gate_variations(a: &Json) -> Json {
    let gate = a.get("gate").int();
    let put = |(f, t): (i32, i32)| put_logic([f as i64, t as i64]);
    Json::List(vec![put(in_weight(gate)), put(in_input(gate))])
}

/// Layers of gates hold a row for each unit, and work on 64 samples at a time.
struct Gates {
    wires: Vec<Vec<usize>>,
    tables: Bits,
}

impl Gates {
    fn read(a: &Json) -> Gates {
        Gates {
            wires: a.get("wires").list().iter().map(Json::sizes).collect(),
            tables: Bits::read(a.get("tables"), 0),
        }
    }

    /// The values of a table at 64 samples: wire after wire halves the entries, the first is the lowest of the address.
    fn look_up(&self, g: usize, planes: &[u64]) -> u64 {
        let mut entries = [0u64; 64];
        for (a, entry) in entries.iter_mut().enumerate().take(1 << planes.len()) {
            *entry = 0u64.wrapping_sub(self.tables.bit(g, a) as u64);
        }
        for (i, &x) in planes.iter().enumerate() {
            for a in 0..1 << (planes.len() - 1 - i) {
                entries[a] = entries[2 * a] & !x | entries[2 * a + 1] & x;
            }
        }
        entries[0]
    }

    fn planes(&self, g: usize, units: &Bits, k: usize) -> Vec<u64> {
        self.wires[g].iter().map(|&unit| units.value(unit)[k]).collect()
    }

    fn values(&self, units: &Bits) -> Bits {
        let mut out = Bits::new(self.wires.len(), units.n);
        for g in 0..self.wires.len() {
            for k in 0..out.words {
                out.value[g * out.words + k] =
                    self.look_up(g, &self.planes(g, units, k)) & out.known[g * out.words + k];
            }
        }
        out
    }

    fn table_votes(&self, z: &Matrix, units: &Bits) -> Matrix {
        let one = |(g, wires): (usize, &Vec<usize>)| {
            let mut votes = vec![0i32; 1 << wires.len()];
            for (b, signals) in z.iter().enumerate() {
                let address =
                    wires.iter().enumerate().map(|(i, &unit)| (units.bit(unit, b) as usize) << i).sum::<usize>();
                votes[address] += signals[g] as i32;
            }
            votes.into_iter().map(i64::from).collect()
        };
        self.wires.iter().enumerate().map(one).collect()
    }

    fn wire_votes(&self, z: &Matrix, units: &Bits) -> Matrix {
        let mut votes = vec![vec![0i64; units.rows]; units.n];
        for (g, wires) in self.wires.iter().enumerate() {
            for k in 0..units.words {
                let mut planes = self.planes(g, units, k);
                for (i, &unit) in wires.iter().enumerate() {
                    let x = planes[i];
                    planes[i] = !0;
                    let high = self.look_up(g, &planes);
                    planes[i] = 0;
                    let low = self.look_up(g, &planes);
                    planes[i] = x;
                    let here = units.known(unit)[k];
                    for_each_bit(high & !low & here, |s| votes[64 * k + s][unit] += z[64 * k + s][g]);
                    for_each_bit(low & !high & here, |s| votes[64 * k + s][unit] -= z[64 * k + s][g]);
                }
            }
        }
        let cut = |row: Vec<i64>| row.into_iter().map(|v| v.clamp(-32767, 32767)).collect();
        votes.into_iter().map(cut).collect()
    }
}

/// What each wire may read, a row for each, gate by gate.
fn read_candidates(a: &Json) -> Vec<Vec<usize>> {
    a.list().iter().flat_map(|gate| gate.list().iter().map(Json::sizes)).collect()
}

impl Gates {
    /// What the answers would change by if one wire alone read another unit, 64 samples at a time.
    fn candidate_votes(&self, z: &Matrix, units: &Bits, candidates: &[Vec<usize>]) -> Matrix {
        let fan_in = self.wires.first().map_or(1, Vec::len);
        let one = |(r, others): (usize, &Vec<usize>)| {
            let (g, i, mut votes) = (r / fan_in, r % fan_in, vec![0; others.len()]);
            for k in 0..units.words {
                let (planes, here) = (self.planes(g, units, k), units.known(self.wires[g][i])[k]);
                let now = self.look_up(g, &planes);
                for (vote, &unit) in votes.iter_mut().zip(others) {
                    let mut planes = planes.clone();
                    planes[i] = units.value(unit)[k];
                    let then = self.look_up(g, &planes);
                    for_each_bit(then & !now & here, |s| *vote += z[64 * k + s][g]);
                    for_each_bit(now & !then & here, |s| *vote -= z[64 * k + s][g]);
                }
            }
            votes
        };
        candidates.iter().enumerate().map(one).collect()
    }
}

fn table_values(a: &Json) -> Json {
    Gates::read(a).values(&Bits::read(a.get("x"), 0).transposed_or(a)).transposed().json()
}

impl Bits {
    /// Samples as planes of units; without samples the wires say how many units there are.
    fn transposed_or(self, a: &Json) -> Bits {
        if self.rows > 0 {
            return self.transposed();
        }
        let highest = a.get("wires").list().iter().flat_map(Json::sizes).max();
        Bits::new(highest.map_or(0, |unit| unit + 1), 0)
    }
}

fn table_votes(a: &Json) -> Json {
    let gates = Gates { wires: a.get("wires").list().iter().map(Json::sizes).collect(), tables: Bits::default() };
    put_matrix(&gates.table_votes(&a.get("z").matrix(), &Bits::read(a.get("x"), 0).transposed_or(a)))
}

fn candidate_votes(a: &Json) -> Json {
    let (units, candidates) = (Bits::read(a.get("x"), 0), read_candidates(a.get("candidates")));
    put_matrix(&Gates::read(a).candidate_votes(&a.get("z").matrix(), &units.transposed_or(a), &candidates))
}

fn wire_votes(a: &Json) -> Json {
    put_matrix(&Gates::read(a).wire_votes(&a.get("z").matrix(), &Bits::read(a.get("x"), 0).transposed()))
}

// --------------------------------------------------------------------------------------------- level 3: sums

/// A gate as c + a w + b x + d w x, modulo 2: four masks, so that no row asks which gate it is.
#[derive(Clone, Copy)]
struct Polynomial([u64; 4]);

impl Polynomial {
    fn of(gate: i64) -> Polynomial {
        let [ff, ft, tf, tt] = [3, 2, 1, 0].map(|i| gate >> i & 1);
        Polynomial([ff, ff ^ tf, ff ^ ft, ff ^ ft ^ tf ^ tt].map(|c| 0u64.wrapping_sub(c as u64)))
    }

    fn at(self, w: u64, x: u64) -> u64 {
        let [c, a, b, d] = self.0;
        c ^ a & w ^ b & x ^ d & w & x
    }
}

/// Twice the T among the known, less their number; eight words at a time, and then those that are left.
fn row_sum(gate: Polynomial, w: &[u64], x: &[u64], known: &[u64]) -> i32 {
    let (mut n_true, mut n_known) = ([0u32; 8], [0u32; 8]);
    let mut add = |lane: usize, w: u64, x: u64, known: u64| {
        n_true[lane] += (gate.at(w, x) & known).count_ones();
        n_known[lane] += known.count_ones();
    };
    let whole = w.len() / 8 * 8;
    for start in (0..whole).step_by(8) {
        for lane in 0..8 {
            add(lane, w[start + lane], x[start + lane], known[start + lane]);
        }
    }
    for i in whole..w.len() {
        add(i - whole, w[i], x[i], known[i]);
    }
    2 * n_true.iter().sum::<u32>() as i32 - n_known.iter().sum::<u32>() as i32
}

fn sums(gate: i64, x: &Bits, w: &Bits) -> Matrix {
    let gate = Polynomial::of(gate);
    let row = |b: usize| (0..w.rows).map(|j| row_sum(gate, w.value(j), x.value(b), x.known(b)) as i64).collect();
    (0..x.rows).map(row).collect()
}

fn gate_sum_of(a: &Json) -> Matrix {
    let w = Bits::read(a.get("w"), 0);
    sums(a.get("gate").int(), &Bits::read(a.get("x"), w.n), &w)
}

fn threshold(s: &Matrix, tau: &[i64]) -> Bits {
    let mut out = Bits::new(s.len(), tau.len());
    for (b, row) in s.iter().enumerate() {
        for (j, (v, t)) in row.iter().zip(tau).enumerate() {
            if v >= t {
                out.set(b, j);
            }
        }
    }
    out
}

struct Window {
    channels: usize,
    n_values: usize,
    n_taps: usize,
    /// For each place the first value of the pixel that each tap sees, or none outside.
    places: Vec<Vec<Option<usize>>>,
}

impl Window {
    fn read(a: &Json) -> Window {
        let pair = |name: &str| a.get(name).ints();
        let (shape, size, stride, padding, dilation) =
            (pair("image_shape"), pair("size"), pair("stride"), pair("padding"), pair("dilation"));
        let n = |d: usize| (shape[d] + 2 * padding[d] - (size[d] - 1) * dilation[d] - 1) / stride[d] + 1;
        let pixel = |i: i64, j: i64, a: i64, b: i64| {
            let y = i * stride[0] - padding[0] + a * dilation[0];
            let x = j * stride[1] - padding[1] + b * dilation[1];
            let inside = (0..shape[0]).contains(&y) && (0..shape[1]).contains(&x);
            inside.then(|| ((y * shape[1] + x) * shape[2]) as usize)
        };
        let taps = |i: i64, j: i64| {
            (0..size[0]).flat_map(|a| (0..size[1]).map(move |b| (i, j, a, b))).collect::<Vec<_>>()
        };
        let places = (0..n(0))
            .flat_map(|i| (0..n(1)).map(move |j| (i, j)))
            .map(|(i, j)| taps(i, j).into_iter().map(|(i, j, a, b)| pixel(i, j, a, b)).collect())
            .collect();
        Window {
            channels: shape[2] as usize,
            n_values: shape.iter().product::<i64>() as usize,
            n_taps: (size[0] * size[1]) as usize,
            places,
        }
    }

    /// Votes on what each place of an image sees go to the pixels that it is.
    fn add_up(&self, patches: &[Vec<i64>]) -> Vec<i64> {
        let mut image = vec![0; self.n_values];
        for (place, patch) in self.places.iter().zip(patches) {
            for (tap, start) in place.iter().enumerate() {
                for c in 0..start.map_or(0, |_| self.channels) {
                    image[start.unwrap_or(0) + c] += patch[tap * self.channels + c];
                }
            }
        }
        image
    }

    /// What each place of each image sees, as a row; outside is missing, or F if `outside` is -1.
    fn patches(&self, images: &Bits, outside: i64) -> Bits {
        let mut out = Bits::new(images.rows * self.places.len(), self.n_taps * self.channels);
        for r in 0..out.rows {
            let (image, place) = (r / self.places.len(), &self.places[r % self.places.len()]);
            for (tap, start) in place.iter().enumerate() {
                for c in 0..self.channels {
                    let i = tap * self.channels + c;
                    let sign = start.map_or(outside, |start| images.sign(image, start + c));
                    match sign {
                        1 => out.set(r, i),
                        0 => out.known[r * out.words + i / 64] &= !(1 << (i % 64)),
                        _ => {}
                    }
                }
            }
        }
        out
    }
}

/// Rows of equal length from rows of places: what is n_rows * places rows becomes n_rows.
fn joined(rows: Matrix, n_rows: usize) -> Matrix {
    let flat: Vec<i64> = rows.into_iter().flatten().collect();
    let length = flat.len() / n_rows.max(1);
    (0..n_rows).map(|r| flat[r * length..(r + 1) * length].to_vec()).collect()
}

fn by_place(z: &Matrix, n_filters: usize) -> Matrix {
    z.iter().flat_map(|row| row.chunks(n_filters).map(<[i64]>::to_vec)).collect()
}

fn conv_sum(a: &Json) -> Json {
    let (window, weights) = (Window::read(a.get("window")), Bits::read(a.get("weights"), 0));
    let images = Bits::read(a.get("images"), window.n_values);
    let patches = window.patches(&images, a.get("padding_value").int());
    put_matrix(&joined(sums(a.get("gate").int(), &patches, &weights), images.rows))
}

/// Trees of gates over a window: a layer of gates for each level, from the leaves to the root.
struct Trees {
    window: Window,
    levels: Vec<Gates>,
}

impl Trees {
    /// Gates above the leaves read those below in turn.
    fn read(a: &Json) -> Trees {
        let leaves: Vec<Vec<usize>> = a.get("wires").list().iter().map(Json::sizes).collect();
        let fan_in = leaves[0].len();
        let level = |(level, rows): (usize, &Json)| {
            let tables = Bits::read(rows, 0);
            let in_turn = (0..tables.rows).map(|g| (g * fan_in..(g + 1) * fan_in).collect());
            Gates { wires: if level == 0 { leaves.clone() } else { in_turn.collect() }, tables }
        };
        let levels = a.get("tables").list().iter().enumerate().map(level).collect();
        Trees { window: Window::read(a.get("window")), levels }
    }

    /// What each level reads, a row for each unit and a column for each place of each image, and what the roots
    /// answer; outside is F.
    fn climb(&self, images: &Bits) -> Vec<Bits> {
        let mut rows = vec![self.window.patches(images, -1).transposed()];
        for level in &self.levels {
            rows.push(level.values(rows.last().expect("what windows see")));
        }
        rows
    }

    /// The answers of all places of an image as one row.
    fn answers(&self, rows: &[Bits], n_images: usize) -> Bits {
        let (roots, n_places) = (rows.last().expect("roots"), self.window.places.len());
        let mut out = Bits::new(n_images, n_places * roots.rows);
        for f in 0..roots.rows {
            for r in (0..roots.n).filter(|&r| roots.bit(f, r)) {
                out.set(r / n_places, r % n_places * roots.rows + f);
            }
        }
        out
    }

    /// What each sample would gain by an entry, over the square of its looks, in units of 1/64, halves up.
    fn votes_by_looks(&self, level: &Gates, z: &Matrix, units: &Bits) -> Matrix {
        let (n_gates, fan_in, n_places) = (level.wires.len(), level.wires[0].len(), self.window.places.len());
        let (mut total, places) = (vec![vec![0; 1 << fan_in]; n_gates], units.transposed());
        for b in 0..z.len() / n_places {
            let of_sample: Vec<usize> = (b * n_places..(b + 1) * n_places).collect();
            let seen = places.rows_of(&of_sample).transposed();
            let gains = level.table_votes(&z[b * n_places..(b + 1) * n_places].to_vec(), &seen);
            let looks = level.table_votes(&vec![vec![1; n_gates]; n_places], &seen);
            for (row, (gain, look)) in total.iter_mut().zip(gains.iter().zip(&looks)) {
                for (v, (g, n)) in row.iter_mut().zip(gain.iter().zip(look)).filter(|(_, (_, &n))| n > 0) {
                    *v += (128 * g + n * n).div_euclid(2 * n * n);
                }
            }
        }
        total
    }

    /// Votes on the tables of each level, and on what each place sees, cut: each gate of a tree is read once.
    fn descend(&self, rows: &[Bits], z: &Matrix) -> (Vec<Matrix>, Matrix) {
        let mut z = by_place(z, self.levels.last().expect("a level").wires.len());
        let mut votes = Vec::new();
        for (level, units) in self.levels.iter().zip(rows).rev() {
            votes.insert(0, self.votes_by_looks(level, &z, units));
            z = level.wire_votes(&z, units);
        }
        (votes, z)
    }

    /// Sums over the windows that see a pixel, cut as well.
    fn pixels(&self, patches: &Matrix) -> Matrix {
        let cut = |row: Vec<i64>| row.into_iter().map(|v| v.clamp(-32767, 32767)).collect();
        patches.chunks(self.window.places.len()).map(|image| cut(self.window.add_up(image))).collect()
    }
}

fn tree_values(a: &Json) -> Json {
    let trees = Trees::read(a);
    let images = Bits::read(a.get("images"), trees.window.n_values);
    trees.answers(&trees.climb(&images), images.rows).json()
}

fn tree_votes(a: &Json) -> (Trees, Vec<Matrix>, Matrix) {
    let trees = Trees::read(a);
    let rows = trees.climb(&Bits::read(a.get("images"), trees.window.n_values));
    let (votes, patches) = trees.descend(&rows, &a.get("z").matrix());
    (trees, votes, patches)
}

fn tree_table_votes(a: &Json) -> Json {
    Json::List(tree_votes(a).1.iter().map(|votes| put_matrix(votes)).collect())
}

fn tree_pixel_votes(a: &Json) -> Json {
    let (trees, _, patches) = tree_votes(a);
    put_matrix(&trees.pixels(&patches))
}

struct Pool {
    n_values: usize,
    /// For each square and channel its values, row by row.
    squares: Vec<Vec<usize>>,
}

impl Pool {
    fn read(a: &Json) -> Pool {
        let (shape, size) = (a.get("image_shape").sizes(), a.get("size").int() as usize);
        let mut squares = Vec::new();
        for y in 0..shape[0] / size {
            for x in 0..shape[1] / size {
                for c in 0..shape[2] {
                    let at = |t: usize| ((y * size + t / size) * shape[1] + x * size + t % size) * shape[2] + c;
                    squares.push((0..size * size).map(at).collect());
                }
            }
        }
        Pool { n_values: shape.iter().product(), squares }
    }

    /// The largest of each square, and the first that has it.
    fn max(&self, sums: &Matrix) -> (Matrix, Matrix) {
        let first = |row: &Vec<i64>, square: &Vec<usize>| {
            (1..square.len()).fold(0, |best, t| if row[square[t]] > row[square[best]] { t } else { best })
        };
        let winner: Vec<Vec<usize>> =
            sums.iter().map(|row| self.squares.iter().map(|square| first(row, square)).collect()).collect();
        let best = |(row, taps): (&Vec<i64>, &Vec<usize>)| {
            self.squares.iter().zip(taps).map(|(square, &t)| row[square[t]]).collect()
        };
        let bests = sums.iter().zip(&winner).map(best).collect();
        (bests, winner.into_iter().map(|row| row.into_iter().map(|t| t as i64).collect()).collect())
    }

    fn any(&self, x: &Bits) -> Bits {
        let mut out = Bits::new(x.rows, self.squares.len());
        for b in 0..x.rows {
            for (i, square) in self.squares.iter().enumerate() {
                if square.iter().any(|&at| x.bit(b, at)) {
                    out.set(b, i);
                }
            }
        }
        out
    }

    /// A signal goes to the pixels of its square all of whose others are F.
    fn to_the_only(&self, z: &Matrix, x: &Bits) -> Matrix {
        let one = |(b, signals): (usize, &Vec<i64>)| {
            let mut out = vec![0; self.n_values];
            for (square, &signal) in self.squares.iter().zip(signals) {
                let n_true = square.iter().filter(|&&at| x.bit(b, at)).count();
                for &at in square.iter().filter(|&&at| n_true == x.bit(b, at) as usize) {
                    out[at] = signal;
                }
            }
            out
        };
        z.iter().enumerate().map(one).collect()
    }

    fn back(&self, z: &Matrix, winner: &Matrix) -> Matrix {
        let one = |(signals, taps): (&Vec<i64>, &Vec<i64>)| {
            let mut out = vec![0; self.n_values];
            for ((square, &signal), &tap) in self.squares.iter().zip(signals).zip(taps) {
                out[square[tap as usize]] = signal;
            }
            out
        };
        z.iter().zip(winner).map(one).collect()
    }
}

fn max_pool(a: &Json) -> Json {
    let (best, winner) = Pool::read(a).max(&a.get("sums").matrix());
    object(vec![("best", put_matrix(&best)), ("winner", put_matrix(&winner))])
}

fn or_pool(a: &Json) -> Json {
    let pool = Pool::read(a);
    pool.any(&Bits::read(a.get("x"), pool.n_values)).json()
}

fn or_pool_back(a: &Json) -> Json {
    let pool = Pool::read(a);
    put_matrix(&pool.to_the_only(&a.get("z").matrix(), &Bits::read(a.get("x"), pool.n_values)))
}

fn group_scores(x: &Bits, n_groups: usize) -> Matrix {
    let size = x.n / n_groups;
    let score = |b: usize, c: usize| (c * size..(c + 1) * size).map(|i| 2 * x.bit(b, i) as i64 - 1).sum();
    (0..x.rows).map(|b| (0..n_groups).map(|c| score(b, c)).collect()).collect()
}

/// Halves away from zero, kept within +-127; numerators have 62 bits at most.
fn round_away(numerator: i64, denominator: i64) -> i64 {
    let (size, rest) = (numerator.abs() / denominator, numerator.abs() % denominator);
    (size + (rest >= denominator - rest) as i64).min(127) * numerator.signum()
}

fn rescaled(g: &Matrix, s: &Matrix, tau: &[i64], table: &[i64], shift: i64) -> Matrix {
    let entry = |v: i64, t: i64| table[((v - t).unsigned_abs() as usize).min(table.len() - 1)];
    let row = |(g, s): (&Vec<i64>, &Vec<i64>)| {
        g.iter().zip(s).zip(tau).map(|((&g, &s), &t)| round_away(g * entry(s, t), 1 << shift)).collect()
    };
    g.iter().zip(s).map(row).collect()
}

fn rescale(a: &Json) -> Json {
    let [tau, table] = ["tau", "table"].map(|name| a.get(name).ints());
    put_matrix(&rescaled(&a.get("g").matrix(), &a.get("s").matrix(), &tau, &table, a.get("shift").int()))
}

fn until_zero(entry: impl Fn(f64) -> f64) -> Json {
    let mut table = Vec::new();
    while table.last() != Some(&0) {
        table.push((1048576.0 * entry(table.len() as f64)).round_ties_even() as i64);
    }
    put_ints(&table)
}

fn loss_table(a: &Json) -> Json {
    let scale = a.get("temperature").f64() * (a.get("fan_in").int() as f64).sqrt();
    until_zero(|d| (-d / scale).exp())
}

fn threshold_table(a: &Json) -> Json {
    let [fan_in, fan_out, gate, next] = ["fan_in", "fan_out", "gate", "next_gate"].map(|name| a.get(name).int());
    let mean = (2 * gate.count_ones() as i64 - 4) as f64 / 4.0;
    let (f, t) = in_input(next);
    let share = (f.abs() + t.abs()) as f64 / 2.0;
    let alpha = std::f64::consts::PI / (2.0 * (3.0 * fan_in as f64 * (1.0 - mean * mean)).sqrt());
    let scale = (2.0 / (fan_out as f64 * share)).sqrt();
    until_zero(|d| {
        let step = (-2.0 * alpha * d).exp();
        scale * 4.0 * step / (1.0 + step).powi(2)
    })
}

fn loss_signals(scores: &Matrix, y: &[i64], table: &[i64]) -> Matrix {
    let row = |(scores, &label): (&Vec<i64>, &i64)| {
        let best = *scores.iter().max().expect("a class");
        let entry = |s: i64| table[((best - s) as usize).min(table.len() - 1)];
        let total: i64 = scores.iter().map(|&s| entry(s)).sum();
        let share = |(j, &s): (usize, &i64)| {
            (254 * entry(s) + total) / (2 * total) - if j as i64 == label { 127 } else { 0 }
        };
        scores.iter().enumerate().map(share).collect()
    };
    scores.iter().zip(y).map(row).collect()
}

fn squared_error(a: &Json) -> Json {
    let scale = a.get("scale").int();
    let row =
        |(s, y): (Vec<i64>, Vec<i64>)| s.iter().zip(y).map(|(s, y)| round_away(127 * (s - y), scale)).collect();
    put_matrix(&a.get("scores").matrix().into_iter().zip(a.get("y").matrix()).map(row).collect::<Matrix>())
}

// -------------------------------------------------------------------------------------------- level 4: votes

/// out[i] += signal * (change where the bit is F or T), nothing where it is missing; by the bits that are set.
fn add_signed(out: &mut [i32], signal: i32, value: &[u64], known: &[u64], (f, t): (i32, i32)) {
    for (k, (&v, &there)) in value.iter().zip(known).enumerate() {
        let out = &mut out[64 * k..];
        if t != 0 {
            for_each_bit(v & there, |i| out[i] += signal * t);
        }
        if f != 0 {
            for_each_bit(!v & there, |i| out[i] += signal * f);
        }
    }
}

fn widened(row: Vec<i32>) -> Vec<i64> {
    row.into_iter().map(i64::from).collect()
}

fn votes_on_weights(gate: i64, z: &Matrix, x: &Bits, n_outputs: usize) -> Matrix {
    let one = |j: usize| {
        let mut row = vec![0; x.n];
        for (b, signals) in z.iter().enumerate() {
            add_signed(&mut row, signals[j] as i32, x.value(b), x.known(b), in_weight(gate));
        }
        widened(row)
    };
    (0..n_outputs).map(one).collect()
}

fn votes_on_inputs(gate: i64, z: &Matrix, w: &Bits) -> Matrix {
    let one = |signals: &Vec<i64>| {
        let mut row = vec![0; w.n];
        for (j, &signal) in signals.iter().enumerate() {
            add_signed(&mut row, signal as i32, w.value(j), w.known(j), in_input(gate));
        }
        widened(row)
    };
    z.iter().map(one).collect()
}

fn weight_votes(a: &Json) -> Json {
    let x = Bits::read(a.get("x"), a.get("n_inputs").int() as usize);
    put_matrix(&votes_on_weights(a.get("gate").int(), &a.get("z").matrix(), &x, a.get("n_outputs").int() as usize))
}

fn centered(q: Matrix, signal_sums: &[i64], input_sums: &[i64], n_samples: i64) -> Matrix {
    let mean = |&x: &i64| ((x << 16) + n_samples).div_euclid(2 * n_samples);
    let means: Vec<i64> = input_sums.iter().map(mean).collect();
    let row = |(row, total): (Vec<i64>, &i64)| {
        row.into_iter().zip(&means).map(|(v, mean)| v - ((total * mean + (1 << 14)) >> 15)).collect()
    };
    q.into_iter().zip(signal_sums).map(row).collect()
}

fn center_votes(a: &Json) -> Json {
    let [totals, inputs] = ["signal_sums", "input_sums"].map(|name| a.get(name).ints());
    put_matrix(&centered(a.get("q").matrix(), &totals, &inputs, a.get("n_samples").int()))
}

fn conv_weight_votes(a: &Json) -> Json {
    let (window, n_filters) = (Window::read(a.get("window")), a.get("n_filters").int() as usize);
    let images = Bits::read(a.get("images"), window.n_values);
    let patches = window.patches(&images, a.get("padding_value").int());
    put_matrix(&votes_on_weights(
        a.get("gate").int(),
        &by_place(&a.get("z").matrix(), n_filters),
        &patches,
        n_filters,
    ))
}

fn votes_on_pixels(gate: i64, z: &Matrix, w: &Bits, window: &Window) -> Matrix {
    let patches = |row: &Vec<i64>| votes_on_inputs(gate, &by_place(&vec![row.clone()], w.rows), w);
    z.iter().map(|row| window.add_up(&patches(row))).collect()
}

fn pixel_votes(a: &Json) -> Json {
    let (window, w) = (Window::read(a.get("window")), Bits::read(a.get("weights"), 0));
    put_matrix(&votes_on_pixels(a.get("gate").int(), &a.get("z").matrix(), &w, &window))
}

/// round(g * k / 2**20), halves away from zero; k is 2**20 sqrt(2 / fan_out), rounded: the root is exact below 2**52.
fn scaled(g: &Matrix, fan_out: i64) -> Matrix {
    let k = (((1i64 << 43) / fan_out) as f64).sqrt() as i64;
    let k = (k + 1) / 2;
    let one = |&v: &i64| ((v.abs() * k + (1 << 19)) >> 20).min(32767) * v.signum();
    g.iter().map(|row| row.iter().map(one).collect()).collect()
}

// ------------------------------------------------------------------------------------ level 5: the optimizer

fn norm(row: &[i64]) -> i64 {
    row.iter().map(|v| v.abs()).sum()
}

/// Evidence that flips a weight, in the units of accumulators.
const BAR: i64 = 4096;

/// Units of 2**-40 of the bar, halves to even, up to eight bars.
fn units_of(eta: f64) -> i64 {
    let (x, most) = (eta.min(8.0) * (1i64 << 40) as f64, (1i64 << 43) - 1);
    let (below, rest) = (x.floor() as i64, x - x.floor());
    (below + (rest > 0.5 || (rest == 0.5 && below % 2 == 1)) as i64).min(most)
}

fn rate(row: &[i64], eta: f64, clip: f64) -> i64 {
    let units = units_of(eta);
    if clip.is_infinite() {
        return units;
    }
    let bound = ((1i64 << 40) as f64 * (clip * (row.len() as f64).sqrt())).min((1i64 << 62) as f64) as i64;
    units.min(bound / norm(row).max(1))
}

/// One row, whose first weight has this rest; the number of flips comes back.
fn flip_row(w: &mut [u64], m: &mut [i64], q: &[i64], beta: i64, eta: i64, mut rest: i64) -> i64 {
    let eta = if eta < 1 << 25 { eta } else { eta & -(1 << 13) };
    let (mut flips, most) = (0, ((1i64 << 43) - 1) / eta.max(1));
    for (i, (m, &vote)) in m.iter_mut().zip(q).enumerate() {
        let total = ((beta * *m + rest) << 13) + eta * vote.clamp(-most, most);
        *m = (total >> 28).clamp(-32767, 32767);
        rest = (rest + 27893) % (1 << 15);
        let (word, bit) = (&mut w[i / 64], 1 << (i % 64));
        let evidence = if *word & bit != 0 { *m } else { -*m };
        if evidence >= BAR {
            *word ^= bit;
            *m = 0;
            flips += 1;
        }
    }
    flips
}

/// The rest of the first weight of row r.
fn rest_of(dither: i64, r: usize, n: usize) -> i64 {
    (dither + 27893 * (r * n) as i64) % (1 << 15)
}

fn flip(a: &Json) -> Json {
    let (mut w, mut m, q) = (Bits::read(a.get("w"), 0), a.get("m").matrix(), a.get("q").matrix());
    let (beta, dither, words, n) = (a.get("beta").int(), a.get("dither").int(), w.words, w.n);
    let mut flips = 0;
    for (r, eta) in a.get("eta").ints().into_iter().enumerate() {
        let row = &mut w.value[r * words..(r + 1) * words];
        flips += flip_row(row, &mut m[r], &q[r], beta, eta, rest_of(dither, r, n));
    }
    object(vec![("w", w.json()), ("m", put_matrix(&m)), ("flips", Json::Int(flips))])
}

/// A tensor of weights, and what the optimizer remembers of it.
struct Parameter {
    bits: Bits,
    m: Matrix,
    beta: i64,
    age: i64,
    /// What votes are divided by: the root of the number of places, of trees 64 times the damping.
    unit: f64,
    is_clipped: bool,
}

impl Parameter {
    fn new(bits: Bits, n_places: usize) -> Parameter {
        let m = vec![vec![0; bits.n]; bits.rows];
        Parameter { m, bits, beta: 1 << 15, age: 0, unit: (n_places as f64).sqrt(), is_clipped: true }
    }

    fn step(&mut self, q: &Matrix, eta: f64, clip: f64, n_samples: f64) -> i64 {
        let share = eta / (127.0 * n_samples) / self.unit;
        let (words, n) = (self.bits.words, self.bits.n);
        let clip = if self.is_clipped { clip } else { f64::INFINITY };
        let dither = 20251 * self.age % (1 << 15);
        let mut flips = 0;
        for (r, votes) in q.iter().enumerate() {
            let row = &mut self.bits.value[r * words..(r + 1) * words];
            let eta = rate(votes, share, clip);
            flips += flip_row(row, &mut self.m[r], votes, self.beta, eta, rest_of(dither, r, n));
        }
        let n_weights = (self.bits.rows * n) as i64;
        self.beta = (((n_weights - flips) << 15) + n_weights / 2) / n_weights;
        self.age += 1;
        flips
    }
}

fn optimize(a: &Json) -> Json {
    let (mut parameter, clip) = (Parameter::new(Bits::read(a.get("w"), 0), 1), a.get("clip").f64());
    let (mut flips, mut beta) = (Vec::new(), Vec::new());
    let steps = a.get("votes").list().iter().zip(a.get("n_samples").ints()).zip(a.get("eta").list());
    for ((q, n), eta) in steps {
        flips.push(if n > 0 { parameter.step(&q.matrix(), eta.f64(), clip, n as f64) } else { 0 });
        beta.push(parameter.beta);
    }
    let (w, m) = (parameter.bits.json(), put_matrix(&parameter.m));
    object(vec![("w", w), ("m", m), ("flips", put_ints(&flips)), ("beta", put_ints(&beta))])
}

/// Integers that are added to sums, and the parts of a step that wait.
struct Offset {
    values: Vec<i64>,
    m: Vec<i64>,
    reach: i64,
    n_terms: i64,
}

impl Offset {
    fn new(values: Vec<i64>, rate: f64, n_terms: i64) -> Offset {
        let reach = ((1i64 << 20) as f64 * (rate * (n_terms as f64).sqrt())) as i64;
        Offset { m: vec![0; values.len()], values, reach, n_terms }
    }

    /// Whole steps are taken at once, and the rest waits, in units of 2**-24.
    fn step(&mut self, q: &[i64], eta: f64) -> i64 {
        let (full, one) = (1i64 << 40, 1i64 << 24);
        let size = units_of(eta).min(full);
        let (most, mut moved) = (full / size.max(1) + 1, 0);
        for ((o, m), &vote) in self.values.iter_mut().zip(&mut self.m).zip(q) {
            let u = ((size * vote.clamp(-most, most)).clamp(-full, full) + (1 << 15)) >> 16;
            let left = *m - ((u * self.reach + (1 << 19)) >> 20);
            let after = (*o + left / one).clamp(-self.n_terms, self.n_terms);
            *m = left % one;
            moved += (after != *o) as i64;
            *o = after;
        }
        moved
    }
}

fn move_offsets(a: &Json) -> Json {
    let mut offset = Offset::new(a.get("o").ints(), a.get("rate").f64(), a.get("n_terms").int());
    offset.m = a.get("m").ints();
    let moved = offset.step(&a.get("q").ints(), a.get("eta").f64());
    object(vec![("o", put_ints(&offset.values)), ("m", put_ints(&offset.m)), ("moved", Json::Int(moved))])
}

/// Which candidate each wire reads, and what the optimizer remembers of all.
struct Choice {
    chosen: Vec<usize>,
    candidates: Vec<Vec<usize>>,
    m: Matrix,
    beta: i64,
    age: i64,
    rate: f64,
}

impl Choice {
    /// In the beginning each wire reads its first candidate.
    fn new(candidates: Vec<Vec<usize>>, rate: f64) -> Choice {
        let m = candidates.iter().map(|units| vec![0; units.len()]).collect();
        Choice { chosen: vec![0; candidates.len()], candidates, m, beta: 1 << 15, age: 0, rate }
    }

    fn wires(&self, fan_in: usize) -> Vec<Vec<usize>> {
        let read: Vec<usize> = self.candidates.iter().zip(&self.chosen).map(|(units, &j)| units[j]).collect();
        read.chunks(fan_in).map(<[usize]>::to_vec).collect()
    }

    /// Candidates are F, and ask to be read by a flip; the lowest vote wins, of equals the first, and the wire
    /// begins anew.
    fn choose(&mut self, q: &Matrix, eta: i64, dither: i64) -> i64 {
        let mut moved = 0;
        for (r, votes) in q.iter().enumerate() {
            let mut asking = [0u64];
            flip_row(&mut asking, &mut self.m[r], votes, self.beta, eta, rest_of(dither, r, votes.len()));
            if asking[0] != 0 {
                let asks = |&j: &usize| asking[0] >> j & 1 == 1;
                self.chosen[r] = (0..votes.len()).filter(asks).min_by_key(|&j| votes[j]).expect("one asks");
                self.m[r].fill(0);
                moved += 1;
            }
        }
        moved
    }

    fn step(&mut self, q: &Matrix, eta: f64, n_samples: f64) -> i64 {
        let units = units_of(eta / (127.0 * n_samples) * self.rate);
        let moved = self.choose(q, units, 20251 * self.age % (1 << 15));
        let n = q.iter().map(Vec::len).sum::<usize>() as i64;
        self.beta = (((n - moved) << 15) + n / 2) / n;
        self.age += 1;
        moved
    }
}

fn move_wires(a: &Json) -> Json {
    let m = a.get("m").matrix();
    let (chosen, any) = (a.get("chosen").sizes(), m.iter().map(|row| vec![0; row.len()]).collect());
    let mut choice = Choice { chosen, m, beta: a.get("beta").int(), ..Choice::new(any, 1.0) };
    let moved = choice.choose(&a.get("q").matrix(), a.get("eta").int(), a.get("dither").int());
    let chosen: Vec<i64> = choice.chosen.iter().map(|&j| j as i64).collect();
    object(vec![("chosen", put_ints(&chosen)), ("m", put_matrix(&choice.m)), ("moved", Json::Int(moved))])
}

// ----------------------------------------------------------------------------------------- level 6: training

/// What stands between layers.
#[derive(Clone)]
enum Value {
    Bits(Bits),
    Sums(Matrix),
}

impl Value {
    fn bits(&self) -> &Bits {
        match self {
            Value::Bits(bits) => bits,
            Value::Sums(_) => panic!("a layer of bits stands on sums"),
        }
    }

    fn sums(&self) -> &Matrix {
        match self {
            Value::Sums(sums) => sums,
            Value::Bits(_) => panic!("a layer of sums stands on bits"),
        }
    }
}

enum Kind {
    Linear { gate: i64, centered: bool },
    Conv { gate: i64, window: Window, outside: i64, patches: Bits },
    MaxPool { pool: Pool, winner: Matrix },
    Threshold { tau: Vec<i64>, table: Vec<i64>, shift: i64 },
    Gates { gates: Gates, units: Bits },
    GateConv { trees: Trees, rows: Vec<Bits> },
    OrPool { pool: Pool },
    GroupSum { n_groups: usize },
    Add { branches: Vec<Vec<Layer>>, received: Vec<Matrix> },
    Concatenate { layers: Vec<Layer>, received: Matrix },
    SignalScale { fan_out: i64 },
}

/// A layer, its parameters, and what it keeps of the last batch.
struct Layer {
    kind: Kind,
    parameters: Vec<Parameter>,
    offset: Option<Offset>,
    choice: Option<Choice>,
    votes: Vec<Matrix>,
    input: Value,
}

fn read_layers(list: &Json) -> Vec<Layer> {
    list.list().iter().map(read_layer).collect()
}

fn read_layer(a: &Json) -> Layer {
    let weighted = |n_places: usize| {
        let mut found = vec![Parameter::new(Bits::read(a.get("weight"), 0), n_places)];
        if let bias @ Json::Text(_) = a.get("bias") {
            found.push(Parameter::new(Bits::read(&Json::List(vec![bias.clone()]), 0), n_places));
        }
        found
    };
    let ints = |name: &str| a.get(name).ints();
    let (kind, parameters) = match a.get("type").text() {
        "linear" => {
            let centered = matches!(a.get("centered"), Json::Bool(true));
            (Kind::Linear { gate: a.get("gate").int(), centered }, weighted(1))
        }
        "conv" => {
            let window = Window::read(a.get("window"));
            let (n_places, outside) = (window.places.len(), a.get("padding_value").int());
            (
                Kind::Conv { gate: a.get("gate").int(), window, outside, patches: Bits::default() },
                weighted(n_places),
            )
        }
        "gate_conv" => {
            let trees = Trees::read(a);
            let unit = 64.0 * a.get("damping").int() as f64;
            let table = |level: &Gates| {
                let parameter = Parameter::new(level.tables.clone(), 1);
                Parameter { unit, is_clipped: false, ..parameter }
            };
            let parameters = trees.levels.iter().map(table).collect();
            (Kind::GateConv { trees, rows: Vec::new() }, parameters)
        }
        "or_pool" => (Kind::OrPool { pool: Pool::read(a) }, Vec::new()),
        "max_pool" => (Kind::MaxPool { pool: Pool::read(a), winner: Vec::new() }, Vec::new()),
        "threshold" => {
            (Kind::Threshold { tau: ints("tau"), table: ints("table"), shift: a.get("shift").int() }, Vec::new())
        }
        "gate" => {
            let gates = Gates::read(a);
            let mut tables = Parameter::new(gates.tables.clone(), 1);
            tables.is_clipped = !matches!(a.find("is_clipped"), Some(Json::Bool(false)));
            (Kind::Gates { gates, units: Bits::default() }, vec![tables])
        }
        "group_sum" => (Kind::GroupSum { n_groups: a.get("n_groups").int() as usize }, Vec::new()),
        "add" => {
            let branches = a.get("branches").list().iter().map(read_layers).collect();
            (Kind::Add { branches, received: Vec::new() }, Vec::new())
        }
        "concatenate" => {
            (Kind::Concatenate { layers: read_layers(a.get("layers")), received: Vec::new() }, Vec::new())
        }
        "signal_scale" => (Kind::SignalScale { fan_out: a.get("fan_out").int() }, Vec::new()),
        other => panic!("a layer has the unknown type {other}"),
    };
    let offset = match a.find("offset") {
        Some(values @ Json::List(_)) => {
            Some(Offset::new(values.ints(), a.get("offset_rate").f64(), parameters[0].bits.n as i64))
        }
        _ => None,
    };
    let choice = a
        .find("candidates")
        .map(|candidates| Choice::new(read_candidates(candidates), a.get("wire_rate").f64()));
    Layer { kind, parameters, offset, choice, votes: Vec::new(), input: Value::Sums(Vec::new()) }
}

fn add_up(mut total: Matrix, other: Matrix) -> Matrix {
    for (row, more) in total.iter_mut().zip(other) {
        row.iter_mut().zip(more).for_each(|(v, w)| *v += w);
    }
    total
}

fn shifted(mut s: Matrix, by: &[i64]) -> Matrix {
    s.iter_mut().for_each(|row| row.iter_mut().zip(by).for_each(|(v, o)| *v += o));
    s
}

fn column_sums(z: &Matrix) -> Vec<i64> {
    (0..z[0].len()).map(|j| z.iter().map(|row| row[j]).sum()).collect()
}

/// Sums over the weight, and e of the bias if there is one.
fn with_bias(gate: i64, x: &Bits, parameters: &[Parameter]) -> Matrix {
    let mut s = sums(gate, x, &parameters[0].bits);
    if let Some(bias) = parameters.get(1) {
        for row in &mut s {
            row.iter_mut().enumerate().for_each(|(j, v)| *v += bias.bits.sign(0, j));
        }
    }
    s
}

impl Layer {
    fn forward(&mut self, x: Value) -> Value {
        let out = match &mut self.kind {
            Kind::Linear { gate, .. } => {
                let s = with_bias(*gate, x.bits(), &self.parameters);
                Value::Sums(self.offset.iter().fold(s, |s, offset| shifted(s, &offset.values)))
            }
            Kind::Conv { gate, window, outside, patches } => {
                *patches = window.patches(x.bits(), *outside);
                Value::Sums(joined(with_bias(*gate, patches, &self.parameters), x.bits().rows))
            }
            Kind::MaxPool { pool, winner } => {
                let (best, taps) = pool.max(x.sums());
                *winner = taps;
                Value::Sums(best)
            }
            Kind::Threshold { tau, .. } => Value::Bits(threshold(x.sums(), tau)),
            Kind::Gates { gates, units } => {
                gates.tables = self.parameters[0].bits.clone();
                if let Some(choice) = &self.choice {
                    gates.wires = choice.wires(gates.wires[0].len());
                }
                *units = x.bits().transposed();
                Value::Bits(gates.values(units).transposed())
            }
            Kind::GateConv { trees, rows } => {
                for (level, table) in trees.levels.iter_mut().zip(&self.parameters) {
                    level.tables = table.bits.clone();
                }
                *rows = trees.climb(x.bits());
                Value::Bits(trees.answers(rows, x.bits().rows))
            }
            Kind::OrPool { pool } => Value::Bits(pool.any(x.bits())),
            Kind::GroupSum { n_groups } => Value::Sums(group_scores(x.bits(), *n_groups)),
            Kind::Add { branches, .. } => {
                let tops = branches.iter_mut().map(|branch| climb(branch, x.clone()).sums().clone());
                Value::Sums(tops.reduce(add_up).expect("a branch"))
            }
            Kind::Concatenate { layers, .. } => {
                let all_known = Bits { known: Bits::new(x.bits().rows, x.bits().n).known, ..x.bits().clone() };
                Value::Bits(x.bits().beside(climb(layers, Value::Bits(all_known)).bits()))
            }
            Kind::SignalScale { .. } => x.clone(),
        };
        self.input = x;
        out
    }

    /// Keep the votes of the batch; no weight moves before all are there.
    fn collect(&mut self, z: &Matrix) {
        match &mut self.kind {
            Kind::Linear { gate, centered: is_centered } => {
                let (x, totals) = (self.input.bits(), column_sums(z));
                let mut q = votes_on_weights(*gate, z, x, self.parameters[0].bits.rows);
                if *is_centered {
                    let mut changes = vec![0; x.n];
                    for b in 0..x.rows {
                        add_signed(&mut changes, 1, x.value(b), x.known(b), in_weight(*gate));
                    }
                    q = centered(q, &totals, &widened(changes), z.len() as i64);
                }
                self.votes = vec![q, vec![totals]];
            }
            Kind::Conv { gate, patches, .. } => {
                let n_filters = self.parameters[0].bits.rows;
                let z = by_place(z, n_filters);
                self.votes = vec![votes_on_weights(*gate, &z, patches, n_filters), vec![column_sums(&z)]];
            }
            Kind::Gates { gates, units } => {
                self.votes = vec![gates.table_votes(z, units)];
                if let Some(choice) = &self.choice {
                    self.votes.push(gates.candidate_votes(z, units, &choice.candidates));
                }
            }
            Kind::GateConv { trees, rows } => self.votes = trees.descend(rows, z).0,
            Kind::Add { branches, received } => {
                *received = branches.iter_mut().map(|branch| descend(branch, z.clone())).collect();
            }
            Kind::Concatenate { layers, received } => {
                let n = self.input.bits().n;
                *received = descend(layers, z.iter().map(|row| row[n..].to_vec()).collect());
            }
            _ => {}
        }
    }

    fn backward(&self, z: &Matrix) -> Matrix {
        match &self.kind {
            Kind::Linear { gate, .. } => votes_on_inputs(*gate, z, &self.parameters[0].bits),
            Kind::Conv { gate, window, .. } => votes_on_pixels(*gate, z, &self.parameters[0].bits, window),
            Kind::MaxPool { pool, winner } => pool.back(z, winner),
            Kind::Threshold { tau, table, shift } => rescaled(z, self.input.sums(), tau, table, *shift),
            Kind::Gates { gates, units } => gates.wire_votes(z, units),
            Kind::GateConv { trees, rows } => trees.pixels(&trees.descend(rows, z).1),
            Kind::OrPool { pool } => pool.to_the_only(z, self.input.bits()),
            Kind::GroupSum { n_groups } => {
                let size = self.input.bits().n / n_groups;
                z.iter().map(|row| row.iter().flat_map(|&signal| vec![signal; size]).collect()).collect()
            }
            Kind::Add { branches, received } => {
                let below = branches.iter().zip(received).map(|(branch, z)| branch[0].backward(z));
                below.reduce(add_up).expect("a branch")
            }
            Kind::Concatenate { layers, received } => {
                let n = self.input.bits().n;
                add_up(z.iter().map(|row| row[..n].to_vec()).collect(), layers[0].backward(received))
            }
            Kind::SignalScale { fan_out } => scaled(z, *fan_out),
        }
    }

    /// This layer, or the layers of its branches, in the order of their tensors.
    fn each(&mut self, does: &mut dyn FnMut(&mut Layer)) {
        does(self);
        match &mut self.kind {
            Kind::Add { branches, .. } => branches.iter_mut().flatten().for_each(|layer| layer.each(does)),
            Kind::Concatenate { layers, .. } => layers.iter_mut().for_each(|layer| layer.each(does)),
            _ => {}
        }
    }
}

fn climb(layers: &mut [Layer], x: Value) -> Value {
    layers.iter_mut().fold(x, |value, layer| layer.forward(value))
}

/// Collect the votes of all layers; the signal that the first receives comes back.
fn descend(layers: &mut [Layer], mut z: Matrix) -> Matrix {
    for i in (0..layers.len()).rev() {
        layers[i].collect(&z);
        if i > 0 {
            z = layers[i].backward(&z);
        }
    }
    z
}

fn train(a: &Json) -> Json {
    let network = a.get("network");
    let (mut layers, x, y) =
        (read_layers(network.get("layers")), Bits::read(network.get("x"), 0), network.get("y").ints());
    let weights = network.find("sample_weight").map_or(vec![65536; x.rows], Json::ints);
    let (table, clip, checkpoints) =
        (network.get("loss_table").ints(), network.get("clip").f64(), a.get("checkpoints").ints());
    let (mut all_flips, mut prints) = (Vec::new(), Vec::new());
    for (t, (batch, eta)) in a.get("batches").list().iter().zip(a.get("eta").list()).enumerate() {
        let (batch, mut flips) = (batch.sizes(), 0);
        let weight: i64 = batch.iter().map(|&i| weights[i]).sum();
        if weight > 0 {
            let labels: Vec<i64> = batch.iter().map(|&i| y[i]).collect();
            let scores = climb(&mut layers, Value::Bits(x.rows_of(&batch)));
            let mut z = loss_signals(scores.sums(), &labels, &table);
            for (row, &i) in z.iter_mut().zip(&batch) {
                row.iter_mut().for_each(|v| *v = round_away(*v * weights[i], 65536));
            }
            descend(&mut layers, z);
            let n_samples = weight as f64 / 65536.0;
            let mut step = |layer: &mut Layer| {
                for (parameter, q) in layer.parameters.iter_mut().zip(&layer.votes) {
                    flips += parameter.step(q, eta.f64(), clip, n_samples);
                }
                if let Some(choice) = &mut layer.choice {
                    flips += choice.step(&layer.votes[1], eta.f64(), n_samples);
                }
                if let Some(offset) = &mut layer.offset {
                    flips += offset.step(&layer.votes[1][0], eta.f64() / (127.0 * n_samples));
                }
            };
            layers.iter_mut().for_each(|layer| layer.each(&mut step));
        }
        all_flips.push(flips);
        if checkpoints.contains(&(t as i64 + 1)) {
            prints.push(fingerprint(&mut layers));
        }
    }
    object(vec![("flips", put_ints(&all_flips)), ("fingerprints", put_texts(prints))])
}

/// SHA-256 over shapes and words of all tensors, little-endian.
fn fingerprint(layers: &mut [Layer]) -> String {
    let mut bytes = Vec::new();
    let mut write = |layer: &mut Layer| {
        for Parameter { bits, .. } in &layer.parameters {
            for word in [bits.rows as u64, bits.n as u64].iter().chain(&bits.value) {
                bytes.extend(word.to_le_bytes());
            }
        }
        if let Some(Choice { chosen, candidates, .. }) = &layer.choice {
            for size in [chosen.len(), candidates[0].len()] {
                bytes.extend((size as u64).to_le_bytes());
            }
            bytes.extend(chosen.iter().map(|&j| j as u8));
        }
        if let Some(Offset { values, .. }) = &layer.offset {
            bytes.extend((values.len() as u64).to_le_bytes());
            bytes.extend(values.iter().flat_map(|&o| (o as i32).to_le_bytes()));
        }
    };
    layers.iter_mut().for_each(|layer| layer.each(&mut write));
    sha256(bytes).iter().map(|word| format!("{word:08x}")).collect()
}

/// The first 32 bits of the fractions of roots of the first primes, as FIPS 180-4 wants them.
fn fractions(n: usize, root: fn(f64) -> f64) -> Vec<u32> {
    let primes = (2u32..).filter(|&p| (2..p).take_while(|d| d * d <= p).all(|d| p % d != 0));
    primes.take(n).map(|p| (root(p as f64).fract() * 4294967296.0) as u32).collect()
}

fn sha256(mut bytes: Vec<u8>) -> Vec<u32> {
    let (k, mut state, length) = (fractions(64, f64::cbrt), fractions(8, f64::sqrt), 8 * bytes.len() as u64);
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend(length.to_be_bytes());
    for block in bytes.chunks_exact(64) {
        let mut w: Vec<u32> =
            block.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        for i in 16..64 {
            let a = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ w[i - 15] >> 3;
            let b = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ w[i - 2] >> 10;
            w.push(w[i - 16].wrapping_add(a).wrapping_add(w[i - 7]).wrapping_add(b));
        }
        let mut v = state.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            let t = [s1, choice, k[i], w[i]].iter().fold(v[7], |sum, &term| sum.wrapping_add(term));
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t);
            v[0] = t.wrapping_add(s0).wrapping_add(majority);
        }
        state.iter_mut().zip(v).for_each(|(s, v)| *s = s.wrapping_add(v));
    }
    state
}

// ---------------------------------------------------------------------------------------------- the protocol

fn call(function: &str, a: &Json) -> Option<Json> {
    Some(match function {
        "connective" => connective(a),
        "project" => put_logic(a.get("x").ints().into_iter().map(i64::signum)),
        "mixed" => mixed(a),
        "delta" => delta(a),
        "variations" => variations(a),
        "gate_table" => Json::Text(format!("{:04b}", a.get("gate").int())),
        "gate_variations" => gate_variations(a),
        "table_values" => table_values(a),
        "pack" => pack(a),
        "unpack" => read_words(a).json(),
        "negate" => negate(a),
        "transpose" => Bits::read(a.get("rows"), a.get("n_bits").int() as usize).transposed().json(),
        "count_rows" => count_rows(a),
        "gate_sum" => put_matrix(&gate_sum_of(a)),
        "gate_bits" => threshold(&gate_sum_of(a), &a.get("tau").ints()).json(),
        "conv_sum" => conv_sum(a),
        "max_pool" => max_pool(a),
        "group_sum" => put_matrix(&group_scores(&Bits::read(a.get("x"), 0), a.get("n_groups").int() as usize)),
        "tree_values" => tree_values(a),
        "or_pool" => or_pool(a),
        "rescale" => rescale(a),
        "loss_table" => loss_table(a),
        "threshold_table" => threshold_table(a),
        "cross_entropy" => {
            put_matrix(&loss_signals(&a.get("scores").matrix(), &a.get("y").ints(), &a.get("table").ints()))
        }
        "squared_error" => squared_error(a),
        "weight_votes" => weight_votes(a),
        "input_votes" => {
            put_matrix(&votes_on_inputs(a.get("gate").int(), &a.get("z").matrix(), &Bits::read(a.get("w"), 0)))
        }
        "center_votes" => center_votes(a),
        "conv_weight_votes" => conv_weight_votes(a),
        "pixel_votes" => pixel_votes(a),
        "pool_back" => put_matrix(&Pool::read(a).back(&a.get("z").matrix(), &a.get("winner").matrix())),
        "table_votes" => table_votes(a),
        "wire_votes" => wire_votes(a),
        "candidate_votes" => candidate_votes(a),
        "tree_table_votes" => tree_table_votes(a),
        "tree_pixel_votes" => tree_pixel_votes(a),
        "or_pool_back" => or_pool_back(a),
        "vote_norms" => put_ints(&a.get("q").matrix().iter().map(|row| norm(row)).collect::<Vec<_>>()),
        "clipped_eta" => {
            let (eta, clip) = (a.get("eta").f64(), a.get("clip").f64());
            put_ints(&a.get("q").matrix().iter().map(|row| rate(row, eta, clip)).collect::<Vec<_>>())
        }
        "flip" => flip(a),
        "optimize" => optimize(a),
        "scale_signals" => put_matrix(&scaled(&a.get("g").matrix(), a.get("fan_out").int())),
        "move_offsets" => move_offsets(a),
        "move_wires" => move_wires(a),
        "train" => train(a),
        _ => return None,
    })
}

fn answer(line: &str) -> Json {
    let request = match (Reader { text: line.as_bytes(), at: 0 }).value() {
        Ok(request) => request,
        Err(why) => return object(vec![("id", Json::Null), ("error", Json::Text(why))]),
    };
    let id = request.get("id").clone();
    let called = std::panic::catch_unwind(|| call(request.get("function").text(), request.get("arguments")));
    match called {
        Ok(Some(result)) => object(vec![("id", id), ("result", result)]),
        Ok(None) => object(vec![("id", id), ("error", Json::Text("unsupported".into()))]),
        Err(_) => {
            object(vec![("id", id), ("error", Json::Text("the request cannot be answered, see stderr".into()))])
        }
    }
}

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let mut text = String::new();
        answer(&line.expect("a line of UTF-8")).write(&mut text);
        writeln!(out, "{text}").and_then(|()| out.flush()).expect("somebody listens");
    }
}
