package pattern

import (
	"math"
	"slices"
	"strings"
)

// A Verdict is the answer to a question about two patterns.
type Verdict uint8

// The answers. Unknown is what cannot be decided, or not with a bounded effort;
// whoever asks whether something is protected takes it for No.
const (
	No Verdict = iota
	Yes
	Unknown
)

func (v Verdict) String() string { return [...]string{"no", "yes", "unknown"}[v] }

// Equal reports whether two patterns match the same log events: Yes only if that is
// certain. The names of columns do not count.
func Equal(a, b *Pattern) Verdict {
	if a.text == b.text || a.form == b.form && a.String() == b.String() {
		return Yes
	}
	there, back := Implies(a, b), Implies(b, a)
	switch {
	case there == Yes && back == Yes:
		return Yes
	case there == No || back == No:
		return No
	}
	return Unknown
}

// Same is Equal for texts. A text that is no pattern equals only itself.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	p, err := Parse(a)
	q, err2 := Parse(b)
	return err == nil && err2 == nil && Equal(p, q) == Yes
}

// Implies reports whether every log event that a matches is matched by b too.
//
// For JSON patterns it looks for a log event that a matches and b does not. Each
// field is tried with one value for every way in which the comparisons of both
// patterns can be true of it together: each text that they name, a text for every
// combination of wildcards that one text can satisfy, the numbers and the gaps
// between them, and null, true, false, a list and nothing. Fields are taken to be
// independent, and regular expressions to match anything or nothing, so a Yes is
// certain, and a No may be wrong where two fields or expressions depend on each
// other.
func Implies(a, b *Pattern) Verdict {
	switch {
	case b.form == terms && len(b.terms) == 0:
		return Yes // the empty pattern matches everything
	case a.form != b.form:
		return Unknown
	case a.form == object:
		return (&search{}).implies(a.all, b.all)
	case a.form == delimited:
		return impliesColumns(a.columns, b.columns)
	}
	return impliesTerms(a.terms, b.terms)
}

// impliesColumns compares column by column, which takes patterns of one shape.
func impliesColumns(a, b []column) Verdict {
	if !slices.EqualFunc(a, b, func(x, y column) bool { return x.rest == y.rest }) {
		return Unknown
	}
	// A column that nothing satisfies would make every answer Yes; it is not looked for.
	verdict := Yes
	for i := range a {
		if b[i].is == nil {
			continue
		}
		if a[i].is == nil {
			verdict = worse(verdict, No)
			continue
		}
		verdict = worse(verdict, (&search{words: true}).implies(a[i].is, b[i].is))
	}
	return verdict
}

// worse returns the answer to "this and that".
func worse(a, b Verdict) Verdict {
	switch {
	case a == No || b == No:
		return No
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Yes
}

// impliesTerms compares lists of terms: each that b wants must be part of one that a
// wants. Terms with ? beside others are not compared.
func impliesTerms(a, b []term) Verdict {
	of := func(list []term, sign byte) (found []value) {
		for _, t := range list {
			if t.sign == sign {
				found = append(found, t.value)
			}
		}
		return found
	}
	contains := func(outer, inner value) bool {
		if outer.regex != nil || inner.regex != nil {
			return outer.regex != nil && inner.regex != nil && outer.text == inner.text
		}
		return strings.Contains(outer.text, inner.text)
	}
	mayA, mayB := of(a, '?'), of(b, '?')
	if len(mayA) > 0 && len(mayA) < len(a) || len(mayB) > 0 && len(mayB) < len(b) {
		return Unknown
	}
	for _, want := range of(b, 0) {
		if !slices.ContainsFunc(of(a, 0), func(got value) bool { return contains(got, want) }) {
			return No
		}
	}
	for _, not := range of(b, '-') {
		if !slices.ContainsFunc(of(a, '-'), func(got value) bool { return contains(not, got) }) {
			return No
		}
	}
	if len(mayB) == 0 {
		return Yes
	}
	some := func(got value) bool {
		return slices.ContainsFunc(mayB, func(want value) bool { return contains(got, want) })
	}
	if slices.ContainsFunc(of(a, 0), some) || len(mayA) > 0 && !slices.ContainsFunc(mayA, func(v value) bool { return !some(v) }) {
		return Yes
	}
	return No
}

// Bounds of a search. Two patterns of 1,024 characters that people write for the
// same control stay far below them; what goes beyond is Unknown.
const (
	maxWorlds = 4096
	maxSteps  = 100_000
)

// A search looks for values of fields for which one expression is true and another
// is not.
type search struct {
	words  bool // fields are words, which are texts
	index  map[string]int
	fields []field
	steps  int
}

// A field has the comparisons of it in both expressions, and the ways in which they
// can be true together.
type field struct {
	comparisons []comparison
	ways        [][]bool
	chosen      []bool // nil while none is
}

// A clause is an expression whose comparisons are places in the list of fields.
type clause struct {
	and, or   []clause
	field, at int
}

func (s *search) implies(a, b *expression) Verdict {
	s.index = map[string]int{}
	y := s.clause(b) // its fields come first: once they are chosen, b is true or false
	x := s.clause(a)
	for i := range s.fields {
		var ok bool
		if s.fields[i].ways, ok = ways(s.fields[i].comparisons, s.words); !ok {
			return Unknown
		}
	}
	return s.find(x, y, 0)
}

func (s *search) clause(e *expression) (c clause) {
	for _, x := range e.and {
		c.and = append(c.and, s.clause(x))
	}
	for _, x := range e.or {
		c.or = append(c.or, s.clause(x))
	}
	if c.and != nil || c.or != nil {
		return c
	}
	name := e.field.String()
	i, known := s.index[name]
	if !known {
		i = len(s.fields)
		s.index[name] = i
		s.fields = append(s.fields, field{})
	}
	f, condition := &s.fields[i], e.condition()
	at := slices.IndexFunc(f.comparisons, func(c comparison) bool { return c.condition() == condition })
	if at < 0 {
		at = len(f.comparisons)
		f.comparisons = append(f.comparisons, e.comparison)
	}
	return clause{field: i, at: at}
}

// find tries each way of the next field. It returns Yes if no way is left in which a
// is true and b is not.
func (s *search) find(a, b clause, next int) Verdict {
	if s.steps++; s.steps > maxSteps {
		return Unknown
	}
	x, y := s.truth(a), s.truth(b)
	switch {
	case x == No || y == Yes:
		return Yes
	case x == Yes && y == No:
		return No
	}
	verdict, f := Yes, &s.fields[next] // with every field chosen, both have a truth
	for _, f.chosen = range f.ways {
		if verdict = worse(verdict, s.find(a, b, next+1)); verdict == No {
			break
		}
	}
	f.chosen = nil
	return verdict
}

// truth returns whether an expression is true as far as the fields are chosen.
func (s *search) truth(c clause) Verdict {
	switch {
	case c.and != nil:
		verdict := Yes
		for _, x := range c.and {
			if verdict = worse(verdict, s.truth(x)); verdict == No {
				break
			}
		}
		return verdict
	case c.or != nil:
		verdict := No
		for _, x := range c.or {
			switch s.truth(x) {
			case Yes:
				return Yes
			case Unknown:
				verdict = Unknown
			}
		}
		return verdict
	}
	switch chosen := s.fields[c.field].chosen; {
	case chosen == nil:
		return Unknown
	case chosen[c.at]:
		return Yes
	}
	return No
}

// ways returns the ways in which comparisons of one field can be true together. It
// returns false if there are too many.
func ways(comparisons []comparison, word bool) ([][]bool, bool) {
	texts, ok := textWays(comparisons)
	if !ok {
		return nil, false
	}
	found := map[string][]bool{}
	add := func(way []bool) {
		key := make([]byte, len(way))
		for i, is := range way {
			if is {
				key[i] = 1
			}
		}
		found[string(key)] = way
	}
	each := func(holds func(i int, c comparison) bool) {
		way := make([]bool, len(comparisons))
		for i, c := range comparisons {
			way[i] = holds(i, c)
		}
		add(way)
	}
	for _, text := range texts {
		matched := text.matched
		each(func(i int, c comparison) bool {
			return c.operator == equal && matched[i] || c.operator == unequal && !matched[i]
		})
		if !text.number {
			continue
		}
		for _, number := range numbersOf(comparisons) {
			each(func(i int, c comparison) bool {
				if c.value.number != nil {
					return c.compare("", &number)
				}
				return c.operator == equal && matched[i] || c.operator == unequal && !matched[i]
			})
		}
	}
	several := len(comparisons) > 0 && comparisons[0].field.several()
	if !word {
		each(func(int, comparison) bool { return false }) // an object or a list
		for _, state := range []operator{isNull, isTrue, isFalse} {
			each(func(_ int, c comparison) bool { return c.operator == state })
		}
	}
	list := make([][]bool, 0, len(found))
	for _, key := range sortedKeys(found) {
		list = append(list, found[key])
	}
	if several { // any of them may be true of one of the fields each
		for i := 0; i < len(list); i++ {
			for _, other := range list[:i] {
				union := make([]bool, len(comparisons))
				for k := range union {
					union[k] = list[i][k] || other[k]
				}
				before := len(found)
				if add(union); len(found) > before {
					list = append(list, union)
				}
				if len(list) > maxWorlds {
					return nil, false
				}
			}
		}
	}
	if !word {
		way := make([]bool, len(comparisons))
		for i, c := range comparisons {
			way[i] = c.operator == notExists
		}
		list = append(list, way)
	}
	return list, len(list) <= maxWorlds
}

// numbersOf returns the numbers that the comparisons name, one between each two of
// them, and one on each side.
func numbersOf(comparisons []comparison) []float64 {
	var named []float64
	for _, c := range comparisons {
		if c.value.number != nil {
			named = append(named, *c.value.number)
		}
	}
	if len(named) == 0 {
		return []float64{0}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	numbers := []float64{math.Inf(-1)}
	for i, n := range named {
		numbers = append(numbers, n)
		if i+1 < len(named) {
			numbers = append(numbers, n/2+named[i+1]/2)
		}
	}
	return append(numbers, math.Inf(1))
}

// A textWay says which of some comparisons' values a text matches, and whether that
// text could be how a number is spelled.
type textWay struct {
	matched []bool
	number  bool
}

// textWays returns a way for texts of every kind: each value that is a text itself,
// and every combination of values with wildcards that one text can match. It returns
// false if there are too many.
func textWays(comparisons []comparison) (found []textWay, ok bool) {
	var exact []string
	var wild, regexes []int
	for i, c := range comparisons {
		_, before, after := c.value.wild()
		switch {
		case c.value.regex != nil:
			regexes = append(regexes, i)
		case before || after:
			wild = append(wild, i)
		case c.operator == equal || c.operator == unequal:
			exact = append(exact, c.value.text)
		}
	}
	// A regular expression may match any of them or not.
	add := func(way []bool, number bool) {
		for set := range 1 << len(regexes) {
			full := slices.Clone(way)
			for bit, i := range regexes {
				full[i] = set&(1<<bit) != 0
			}
			found = append(found, textWay{full, number})
		}
	}
	for _, text := range exact {
		way := make([]bool, len(comparisons))
		for i, c := range comparisons {
			way[i] = c.value.regex == nil && c.value.matches(text)
		}
		add(way, numberShape.MatchString(text))
	}
	// choose decides on one value after the other whether the text matches it.
	var choose func(next int, way []bool)
	choose = func(next int, way []bool) {
		if len(found) > maxWorlds {
			return
		}
		if next == len(wild) {
			add(way, true)
			return
		}
		v := comparisons[wild[next]].value
		must, may := v.text == "*", true
		for _, i := range wild[:next] {
			other := comparisons[i].value
			switch {
			case way[i]:
				must = must || other.within(v)
				may = may && other.meets(v)
			default:
				may = may && !v.within(other)
			}
		}
		if !must {
			choose(next+1, way)
		}
		if may {
			with := slices.Clone(way)
			with[wild[next]] = true
			choose(next+1, with)
		}
	}
	choose(0, make([]bool, len(comparisons)))
	return found, len(found) <= maxWorlds
}

// within reports whether each text that v matches is matched by w. Both have
// wildcards.
func (v value) within(w value) bool {
	inner, before, after := v.wild()
	outer, wideBefore, wideAfter := w.wild()
	switch {
	case wideBefore && wideAfter:
		return strings.Contains(inner, outer)
	case before && after:
		return false
	case wideBefore:
		return before && strings.HasSuffix(inner, outer)
	}
	return after && strings.HasPrefix(inner, outer)
}

// meets reports whether some text is matched by v and by w. Both have wildcards.
func (v value) meets(w value) bool {
	x, before, after := v.wild()
	y, wideBefore, wideAfter := w.wild()
	switch {
	case before && after, wideBefore && wideAfter, before != wideBefore:
		return true
	case before:
		return strings.HasSuffix(x, y) || strings.HasSuffix(y, x)
	}
	return strings.HasPrefix(x, y) || strings.HasPrefix(y, x)
}
