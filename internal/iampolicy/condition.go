package iampolicy

import "strings"

// A Verdict says whether something applies to a call.
type Verdict uint8

// The verdicts, in order: the verdict on several conditions is the lowest of
// theirs, and the verdict on several values is the highest.
const (
	Never  Verdict = iota
	Maybe          // it depends on something that is not known of the call
	Always         // whatever is not known of the call
)

// A Call is what is known of a call: its condition keys by their names in lower
// case. The name "aws:principaltag/*" stands for every tag. A key that is not in
// it may be absent or have any value.
type Call map[string]Key

// A Key is what is known of one condition key of a call.
type Key struct {
	value   string // a pattern: a wildcard stands for what is not known
	present Verdict
	other   bool // it has a value, which no policy of this account names
}

// Has is a key that every such call has. A wildcard in the value stands for text
// that is not known.
func Has(value string) Key { return Key{value: value, present: Always} }

// MayHave is a key that such a call has with this value, or lacks.
func MayHave(value string) Key { return Key{value: value, present: Maybe} }

// Lacks is a key that no such call has.
func Lacks() Key { return Key{} }

// HasOther is a key that such a call lacks, or has with a value that no policy
// of this account names, unless by a wildcard or a range.
func HasOther() Key { return Key{present: Maybe, other: true} }

// Holds reports whether the conditions of a statement are met by a call. Source:
// IAM User Guide, "IAM JSON policy elements: Condition operators" and
// "Multivalued context keys".
func (st Statement) Holds(call Call) Verdict {
	all := Always
	for operator, keys := range st.Condition {
		for name, values := range keys {
			all = min(all, call.meets(strings.ToLower(operator), strings.ToLower(name), values))
		}
	}
	return all
}

// negated maps each operator that negates another to that one, and each of the
// others that a key's absence never meets to "".
var negated = map[string]string{
	"stringnotequals": "stringequals", "stringnotequalsignorecase": "stringequalsignorecase", "stringnotlike": "stringlike",
	"arnnotequals": "arnequals", "arnnotlike": "arnlike", "notipaddress": "ipaddress",
	"numericnotequals": "numericequals", "datenotequals": "dateequals",

	"stringequals": "", "stringequalsignorecase": "", "stringlike": "", "arnequals": "", "arnlike": "", "ipaddress": "", "bool": "", "binaryequals": "",
	"numericequals": "", "numericlessthan": "", "numericlessthanequals": "", "numericgreaterthan": "", "numericgreaterthanequals": "",
	"dateequals": "", "datelessthan": "", "datelessthanequals": "", "dategreaterthan": "", "dategreaterthanequals": "",
}

// meets returns the verdict on one key of one operator, both in lower case.
func (c Call) meets(operator, name string, values Values) Verdict {
	key, known := c[name]
	if !known {
		family, _, _ := strings.Cut(name, "/")
		key, known = c[family+"/*"]
	}
	if !known {
		return Maybe
	}
	operator, optional := strings.CutSuffix(operator, "ifexists")
	operator, any := strings.CutPrefix(operator, "foranyvalue:")
	operator, every := strings.CutPrefix(operator, "forallvalues:")
	positive, defined := negated[operator]
	absent := Never
	var present Verdict
	switch {
	case operator == "null":
		present, absent = among(values, "false"), among(values, "true")
	case !defined: // an operator of later years
		return Maybe
	case positive != "":
		present, absent = Always-key.matches(positive, values), Always
	default:
		present = key.matches(operator, values)
	}
	switch {
	case operator == "null":
	case any && optional: // true because the key is absent, or false because no value matches: not documented
		absent = Maybe
	case any:
		absent = Never
	case optional, every:
		absent = Always
	}
	switch {
	case key.present == Always, key.present == Maybe && present == absent:
		return present
	case key.present == Never:
		return absent
	}
	return Maybe
}

// among reports whether a value is one of the values, ignoring case.
func among(values Values, value string) Verdict {
	for _, v := range values {
		if strings.EqualFold(v, value) {
			return Always
		}
	}
	return Never
}

// matches returns the verdict on the values of an operator that does not negate,
// for a key that is present.
func (k Key) matches(operator string, values Values) Verdict {
	best := Never
	for _, v := range values {
		best = max(best, k.match(operator, v))
	}
	return best
}

func (k Key) match(operator, value string) Verdict {
	has, overlaps, exact := k.value, overlap, false
	switch operator {
	case "stringlike":
	case "arnlike", "arnequals":
		overlaps = overlapARN
	case "stringequals":
		exact = true
	case "stringequalsignorecase", "bool":
		exact, has, value = true, strings.ToLower(has), strings.ToLower(value)
	default: // addresses, numbers, times
		return Maybe
	}
	variables := strings.Contains(value, "${")
	if k.other {
		if variables || !exact && strings.ContainsAny(value, "*?") {
			return Maybe
		}
		return Never
	}
	pattern := opened(value, "*")
	if exact && !variables {
		pattern = literal.Replace(value)
	}
	switch {
	case !overlaps(pattern, has):
		return Never
	case variables, exact && strings.ContainsAny(has, "*?"),
		operator[0] == 'a' && strings.Count(value, ":") < 5: // whether a shorter ARN matches is not documented
		return Maybe
	case overlaps(pattern, literal.Replace(has)): // it matches whatever the wildcards stand for
		return Always
	}
	return Maybe
}
