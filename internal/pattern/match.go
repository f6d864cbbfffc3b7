package pattern

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Matches reports whether the pattern matches the message of a log event.
//
// What the guide leaves open is decided so:
//   - A field that does not exist satisfies no comparison, != neither: recorded with
//     the console's "Test pattern" in issue 5884 of DataBiosphere/azul.
//   - A field that is an object or a list satisfies no comparison (documented). One
//     that is null, true or false satisfies none but its own IS (assumed: the guide
//     speaks of strings and numbers only).
//   - [*] and .* satisfy a comparison if any of their fields does (assumed).
//   - A number in quotes is compared with the text of the log event's number, and a
//     number without quotes with a text that is spelled like it (assumed).
//   - A message that is no JSON object is matched by no JSON pattern, NOT EXISTS
//     neither (assumed).
//   - A space-delimited pattern without an ellipsis wants as many words as it has
//     columns (documented by example).
//   - Terms with ? are ignored beside other terms (assumed).
func (p *Pattern) Matches(message string) bool {
	switch p.form {
	case object:
		record, err := decode(message)
		return err == nil && p.all.eval(func(c comparison) bool { return c.holds(c.field.values(record)) })
	case delimited:
		return matchColumns(p.columns, words(message))
	}
	return p.matchTerms(message)
}

// decode reads a JSON object, with numbers as they are spelled.
func decode(message string) (record map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber()
	if err := d.Decode(&record); err != nil {
		return nil, fmt.Errorf("the log event is no JSON object: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("the log event has text behind its JSON object")
	}
	return record, nil
}

// eval reports whether the expression is true, given which comparisons are.
func (e *expression) eval(holds func(comparison) bool) bool {
	yes := func(x *expression) bool { return x.eval(holds) }
	switch {
	case e.or != nil:
		return slices.ContainsFunc(e.or, yes)
	case e.and != nil:
		return !slices.ContainsFunc(e.and, func(x *expression) bool { return !yes(x) })
	}
	return holds(e.comparison)
}

// values returns the fields of a record that the selector names.
func (s selector) values(node any) (found []any) {
	if len(s) == 0 {
		return []any{node}
	}
	step, rest := s[0], s[1:]
	switch node := node.(type) {
	case map[string]any:
		if step == "*" {
			for _, key := range sortedKeys(node) {
				found = append(found, rest.values(node[key])...)
			}
		} else if v, exists := node[strings.TrimPrefix(step, ".")]; exists && step[0] == '.' {
			return rest.values(v)
		}
	case []any:
		for i, v := range node {
			if step == "[*]" || step == "["+strconv.Itoa(i)+"]" {
				found = append(found, rest.values(v)...)
			}
		}
	}
	return found
}

// holds reports whether the fields that were found satisfy the comparison.
func (c comparison) holds(found []any) bool {
	if c.operator == notExists {
		return len(found) == 0
	}
	return slices.ContainsFunc(found, func(v any) bool {
		switch v := v.(type) {
		case nil:
			return c.operator == isNull
		case bool:
			return v && c.operator == isTrue || !v && c.operator == isFalse
		case string:
			return c.compare(v, nil)
		case json.Number:
			number, err := v.Float64()
			if err != nil {
				return c.compare(v.String(), nil)
			}
			return c.compare(v.String(), &number)
		}
		return false
	})
}

// compare compares a text, which is a number too unless that is nil.
func (c comparison) compare(text string, number *float64) bool {
	if number == nil || c.value.number == nil {
		return c.operator == equal && c.value.matches(text) || c.operator == unequal && !c.value.matches(text)
	}
	got, want := *number, *c.value.number
	switch c.operator {
	case equal:
		return got == want
	case unequal:
		return got != want
	case less:
		return got < want
	case more:
		return got > want
	case atMost:
		return got <= want
	case atLeast:
		return got >= want
	}
	return false
}

// words splits a log event at blanks. What stands between two double quotes or in
// square brackets is one word. Source: CloudWatch Logs User Guide, "Filter pattern
// syntax", space-delimited log events (documented).
func words(message string) (found []string) {
	rest := strings.TrimSpace(message)
	for rest != "" {
		closing := " "
		switch rest[0] {
		case '"':
			closing, rest = `"`, rest[1:]
		case '[':
			closing, rest = "]", rest[1:]
		}
		word, after, _ := strings.Cut(rest, closing)
		found = append(found, word)
		rest = strings.TrimLeft(after, " \t\r\n")
	}
	return found
}

func matchColumns(columns []column, words []string) bool {
	if len(columns) == 0 {
		return len(words) == 0
	}
	c := columns[0]
	if c.rest {
		for i := 0; i <= len(words); i++ {
			if matchColumns(columns[1:], words[i:]) {
				return true
			}
		}
		return false
	}
	if len(words) == 0 || c.is != nil && !c.is.eval(func(c comparison) bool { return c.holdsWord(words[0]) }) {
		return false
	}
	return matchColumns(columns[1:], words[1:])
}

// holdsWord is holds for a word, which is a number if it looks like one.
func (c comparison) holdsWord(word string) bool {
	if numberShape.MatchString(word) {
		if number, err := strconv.ParseFloat(word, 64); err == nil {
			return c.compare(word, &number)
		}
	}
	return c.compare(word, nil)
}

func (p *Pattern) matchTerms(message string) bool {
	others := slices.ContainsFunc(p.terms, func(t term) bool { return t.sign != '?' })
	may := false
	for _, t := range p.terms {
		found := strings.Contains(message, t.text)
		if t.regex != nil {
			found = t.regex.MatchString(message)
		}
		switch t.sign {
		case '?':
			may = may || found
		case '-':
			if found {
				return false
			}
		default:
			if !found {
				return false
			}
		}
	}
	return others || may || len(p.terms) == 0
}
