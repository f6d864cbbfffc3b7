package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/order"
)

// Selectors say which events a trail records: basic ones or advanced ones,
// never both. Source: CloudTrail API Reference, PutEventSelectors.
type Selectors struct {
	Basic    []Selector         `json:"basic,omitempty"`
	Advanced []AdvancedSelector `json:"advanced,omitempty"`
}

// A Selector is a basic event selector.
type Selector struct {
	Management bool           `json:"management,omitempty"`
	ReadWrite  string         `json:"readWrite,omitempty"` // All, ReadOnly or WriteOnly; "" means All
	Exclude    []string       `json:"exclude,omitempty"`   // event sources whose management events are not recorded
	Data       []DataResource `json:"data,omitempty"`
}

// A DataResource selects data events.
type DataResource struct {
	Type   string   `json:"type"`
	Values []string `json:"values,omitempty"` // ARNs, or beginnings of them
}

// An AdvancedSelector selects the events that match all of its fields.
type AdvancedSelector struct {
	Name   string          `json:"name,omitempty"`
	Fields []FieldSelector `json:"fields"`
}

// A FieldSelector matches events by one field.
type FieldSelector struct {
	Field         string   `json:"field"`
	Equals        []string `json:"equals,omitempty"`
	NotEquals     []string `json:"notEquals,omitempty"`
	StartsWith    []string `json:"startsWith,omitempty"`
	NotStartsWith []string `json:"notStartsWith,omitempty"`
	EndsWith      []string `json:"endsWith,omitempty"`
	NotEndsWith   []string `json:"notEndsWith,omitempty"`
}

// Words of event selectors. Source: CloudTrail API Reference, EventSelector
// and AdvancedFieldSelector.
const (
	readWriteAll   = "All"
	readOnly       = "ReadOnly"
	writeOnly      = "WriteOnly"
	fieldCategory  = "eventCategory"
	fieldReadOnly  = "readOnly"
	fieldSource    = "eventSource"
	fieldType      = "resources.type"
	fieldARN       = "resources.ARN"
	categoryManage = "Management"
	categoryData   = "Data"
)

// A cover says which management events one selector records.
type cover struct {
	reads, writes bool
	exclude       []string // event sources
}

// DefaultSelectors are those of a new trail. Source: CloudTrail User Guide,
// "Logging management events": a new trail records all of them.
func DefaultSelectors() Selectors {
	return Selectors{Basic: []Selector{{Management: true, ReadWrite: readWriteAll}}}
}

// Missing returns which management events the selectors do not record, or "" if
// they record all of them, reads and writes, from every source:
//
//	basic     a selector of management events counts with its reads, its writes and
//	          the sources it does not exclude; together the selectors have to cover all
//	advanced  a selector counts if it has category Management and no other field than
//	          readOnly or an excluded eventSource; any other field narrows it
func (s Selectors) Missing() string {
	var covers []cover
	for _, b := range s.Basic {
		if b.Management {
			covers = append(covers, cover{reads: b.ReadWrite != writeOnly, writes: b.ReadWrite != readOnly, exclude: b.Exclude})
		}
	}
	for _, a := range s.Advanced {
		if c, ok := a.cover(); ok {
			covers = append(covers, c)
		}
	}
	reads := left(covers, func(c cover) bool { return c.reads })
	writes := left(covers, func(c cover) bool { return c.writes })
	switch {
	case reads == everySource && writes == everySource:
		return "it records no management events"
	case reads == everySource:
		return "it records no management events that read"
	case writes == everySource:
		return "it records no management events that write"
	case writes != "":
		return "it omits the management events of " + writes
	case reads != "":
		return "it omits the management events of " + reads + " that read"
	}
	return ""
}

const everySource = "*"

// left returns the sources that each of some covers excludes: every source if
// there is no such cover, "" if no source is excluded by all.
func left(covers []cover, some func(cover) bool) string {
	var out []string
	any := false
	for _, c := range covers {
		switch {
		case !some(c):
		case !any:
			out, any = slices.Clone(c.exclude), true
		default:
			out = slices.DeleteFunc(out, func(source string) bool { return !slices.Contains(c.exclude, source) })
		}
	}
	if !any {
		return everySource
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// cover returns which management events an advanced selector records, and false
// if it records none or that is not known.
func (a AdvancedSelector) cover() (cover, bool) {
	c := cover{reads: true, writes: true}
	manages := false
	for _, f := range a.Fields {
		narrow := len(f.StartsWith)+len(f.NotStartsWith)+len(f.EndsWith)+len(f.NotEndsWith) > 0
		switch {
		case narrow:
			return cover{}, false
		case f.Field == fieldCategory && slices.Equal(f.Equals, []string{categoryManage}) && len(f.NotEquals) == 0:
			manages = true
		case f.Field == fieldReadOnly && len(f.NotEquals) == 0:
			c.reads = c.reads && slices.Contains(f.Equals, "true")
			c.writes = c.writes && slices.Contains(f.Equals, "false")
		case f.Field == fieldSource && len(f.Equals) == 0:
			c.exclude = append(c.exclude, f.NotEquals...)
		default:
			return cover{}, false
		}
	}
	return c, manages
}

// manages reports whether an advanced selector is about management events.
func (a AdvancedSelector) manages() bool {
	return slices.ContainsFunc(a.Fields, func(f FieldSelector) bool {
		return f.Field == fieldCategory && slices.Contains(f.Equals, categoryManage)
	})
}

// Repaired returns selectors that record every management event. They are
// advanced if the observed or the remembered ones are. Other events that the
// observed selectors record stay recorded. So do those that only the remembered
// ones record: whoever narrows the management events may have removed others too.
func (s Selectors) Repaired(remembered *Selectors) Selectors {
	var m Selectors
	if remembered != nil {
		m = *remembered
	}
	if len(s.Advanced) > 0 || len(m.Advanced) > 0 {
		return Selectors{Advanced: repairedAdvanced(s.asAdvanced(), m.asAdvanced())}
	}
	return Selectors{Basic: repairedBasic(s.Basic, m.Basic)}
}

func repairedAdvanced(got, remembered []AdvancedSelector) []AdvancedSelector {
	out := []AdvancedSelector{{Name: "Management events", Fields: []FieldSelector{{Field: fieldCategory, Equals: []string{categoryManage}}}}}
	for _, a := range slices.Concat(got, remembered) {
		known := slices.ContainsFunc(out, func(o AdvancedSelector) bool { return sameFields(o, a) })
		if !a.manages() && !known {
			out = append(out, a)
		}
	}
	return out
}

// sameFields reports whether two selectors match the same events, whatever the
// order of fields and values: CloudTrail returns the fields sorted by name.
func sameFields(a, b AdvancedSelector) bool {
	return slices.EqualFunc(a.sorted().Fields, b.sorted().Fields, func(f, g FieldSelector) bool {
		return f.Field == g.Field && sameValues(f.Equals, g.Equals) && sameValues(f.NotEquals, g.NotEquals) &&
			sameValues(f.StartsWith, g.StartsWith) && sameValues(f.NotStartsWith, g.NotStartsWith) &&
			sameValues(f.EndsWith, g.EndsWith) && sameValues(f.NotEndsWith, g.NotEndsWith)
	})
}

// sorted returns a selector with its fields sorted by name, as CloudTrail returns
// them. Source: a reply of GetEventSelectors, stackd, recorded 2026-09-13.
func (a AdvancedSelector) sorted() AdvancedSelector {
	a.Fields = order.By(slices.Clone(a.Fields), func(f, g FieldSelector) int { return cmp.Compare(f.Field, g.Field) })
	return a
}

// sorted returns selectors with the fields of each sorted by name.
func (s Selectors) sorted() Selectors {
	s.Advanced = slices.Clone(s.Advanced)
	for i, a := range s.Advanced {
		s.Advanced[i] = a.sorted()
	}
	return s
}

func sameValues(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func repairedBasic(got, remembered []Selector) []Selector {
	out := []Selector{{Management: true, ReadWrite: readWriteAll}}
	for _, b := range slices.Concat(got, remembered) {
		known := slices.ContainsFunc(out, func(o Selector) bool { return orAll(o.ReadWrite) == orAll(b.ReadWrite) && sameData(o.Data, b.Data) })
		if len(b.Data) > 0 && !known {
			out = append(out, Selector{ReadWrite: orAll(b.ReadWrite), Data: b.Data})
		}
	}
	if len(out) > catalog.SelectorsPerTrail { // the first selector takes over the data events of those that have no room, reads and writes
		for _, b := range out[catalog.SelectorsPerTrail:] {
			out[0].Data = append(out[0].Data, b.Data...)
		}
		out = out[:catalog.SelectorsPerTrail]
	}
	return out
}

func sameData(a, b []DataResource) bool {
	return slices.EqualFunc(a, b, func(d, e DataResource) bool { return d.Type == e.Type && sameValues(d.Values, e.Values) })
}

func orAll(readWrite string) string {
	if readWrite == "" {
		return readWriteAll
	}
	return readWrite
}

// asAdvanced returns the selectors, with basic ones converted to advanced ones
// that record the same data events. A value that means every resource, such as
// the beginning of every bucket's ARN, becomes no field. Source: CloudTrail User Guide,
// "Logging data events": both forms of one selection.
func (s Selectors) asAdvanced() []AdvancedSelector {
	out := slices.Clone(s.Advanced)
	for _, b := range s.Basic {
		for _, d := range b.Data {
			fields := []FieldSelector{{Field: fieldCategory, Equals: []string{categoryData}}, {Field: fieldType, Equals: []string{d.Type}}}
			switch b.ReadWrite {
			case readOnly:
				fields = append(fields, FieldSelector{Field: fieldReadOnly, Equals: []string{"true"}})
			case writeOnly:
				fields = append(fields, FieldSelector{Field: fieldReadOnly, Equals: []string{"false"}})
			}
			all := slices.ContainsFunc(d.Values, func(v string) bool { return strings.Count(v, ":") < 5 })
			if len(d.Values) > 0 && !all {
				fields = append(fields, FieldSelector{Field: fieldARN, StartsWith: d.Values})
			}
			out = append(out, AdvancedSelector{Fields: fields})
		}
	}
	return out
}

// otherPurpose reports whether the selectors record other events and none of
// management: nobody who narrowed them needs to have wanted management events.
func (s Selectors) otherPurpose() bool {
	return !s.none() && !slices.ContainsFunc(s.Basic, func(b Selector) bool { return b.Management }) &&
		!slices.ContainsFunc(s.Advanced, AdvancedSelector.manages)
}

// fit reports whether CloudTrail's limits allow the selectors.
func (s Selectors) fit() bool {
	resources, values := 0, 0
	for _, b := range s.Basic {
		for _, d := range b.Data {
			resources += max(1, len(d.Values))
		}
	}
	for _, a := range s.Advanced {
		for _, f := range a.Fields {
			values += len(f.Equals) + len(f.NotEquals) + len(f.StartsWith) + len(f.NotStartsWith) + len(f.EndsWith) + len(f.NotEndsWith)
		}
	}
	return resources <= catalog.DataResourcesPerTrail && values <= catalog.SelectorValuesPerTrail
}

// putSelectors returns the action that sets selectors, with what to set instead if
// CloudTrail refuses them. What CloudTrail's limits do not allow is not tried:
//
//	all              the management events, and what is and was selected besides
//	as remembered    the management events, and what was selected besides
//	default          the management events alone
func putSelectors(trail, why string, all Selectors, remembered *Selectors) PutSelectors {
	choices := []Selectors{all}
	if remembered != nil {
		choices = append(choices, remembered.Repaired(nil))
	}
	choices = slices.DeleteFunc(choices, func(s Selectors) bool { return !s.fit() })
	choices = slices.CompactFunc(append(choices, DefaultSelectors()), sameSelectors)
	if lost := Lost(all, choices[0]); lost != "" {
		why += "; CloudTrail's limits leave no room for " + lost
	}
	return PutSelectors{Trail: trail, Selectors: choices[0], Instead: choices[1:], Reason: why}
}

// putDataEvents returns the action that selects remembered events again, beside
// those that are selected now as far as CloudTrail's limits allow.
func putDataEvents(trail, why string, now, remembered Selectors) PutSelectors {
	all, alone := now.Repaired(&remembered), remembered.Repaired(nil)
	if !all.fit() {
		all = alone
		if lost := Lost(now, alone); lost != "" {
			why += "; CloudTrail's limits leave no room for " + lost
		}
	}
	return PutSelectors{Trail: trail, Selectors: all, Instead: []Selectors{alone}, Reason: why}
}

// forgot describes the events besides management events that the remembered
// selectors record and these do not, or not all of them; "" for none.
func (s Selectors) forgot(remembered Selectors) string {
	var kept, lost []AdvancedSelector
	for _, was := range remembered.each() {
		if slices.ContainsFunc(s.each(), func(now AdvancedSelector) bool { return now.records(was) }) {
			kept = append(kept, was)
		} else {
			lost = append(lost, was)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	// A narrowed selector has the name of what it narrows.
	return cmp.Or(Lost(Selectors{Advanced: lost}, Selectors{Advanced: kept}), "all of "+strings.Join(Selectors{Advanced: lost}.data(), ", "))
}

// each returns what the selectors record besides management events, one selector
// for each resource.
func (s Selectors) each() []AdvancedSelector {
	var out []AdvancedSelector
	for _, a := range s.asAdvanced() {
		if a.manages() {
			continue
		}
		i := slices.IndexFunc(a.Fields, func(f FieldSelector) bool { return f.Field == fieldARN && len(f.Equals)+len(f.StartsWith) > 1 })
		if i < 0 {
			out = append(out, a)
			continue
		}
		for _, one := range a.Fields[i].each() {
			b := AdvancedSelector{Name: a.Name, Fields: slices.Clone(a.Fields)}
			b.Fields[i] = one
			out = append(out, b)
		}
	}
	return out
}

// each returns a field selector for each of the values that a field may have, of
// which one is enough.
func (f FieldSelector) each() []FieldSelector {
	var out []FieldSelector
	for _, v := range f.Equals {
		g := f
		g.Equals, g.StartsWith = []string{v}, nil
		out = append(out, g)
	}
	for _, v := range f.StartsWith {
		g := f
		g.Equals, g.StartsWith = nil, []string{v}
		out = append(out, g)
	}
	return out
}

// records reports whether a selector surely matches every event that another one
// matches: each of its fields allows at least what the same field of the other
// allows.
func (a AdvancedSelector) records(other AdvancedSelector) bool {
	return !slices.ContainsFunc(a.Fields, func(f FieldSelector) bool {
		return !slices.ContainsFunc(other.Fields, func(g FieldSelector) bool { return g.Field == f.Field && f.allows(g) })
	})
}

// allows reports whether a field selector surely allows every value that another
// one allows. Only the forms that it understands count; of any other, the same.
func (f FieldSelector) allows(g FieldSelector) bool {
	same := func(a, b []string) bool { return len(a) == 0 || sameValues(a, b) }
	if same(f.Equals, g.Equals) && same(f.NotEquals, g.NotEquals) && same(f.StartsWith, g.StartsWith) && same(f.NotStartsWith, g.NotStartsWith) &&
		same(f.EndsWith, g.EndsWith) && same(f.NotEndsWith, g.NotEndsWith) {
		return true
	}
	if len(f.NotEquals)+len(f.NotStartsWith)+len(f.EndsWith)+len(f.NotEndsWith) > 0 || len(g.Equals)+len(g.StartsWith) == 0 {
		return false
	}
	begins := func(v string) bool {
		return slices.ContainsFunc(f.StartsWith, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	}
	return !slices.ContainsFunc(g.Equals, func(v string) bool { return !slices.Contains(f.Equals, v) && !begins(v) }) &&
		!slices.ContainsFunc(g.StartsWith, func(v string) bool { return !begins(v) })
}

// Lost describes the events besides management events that the first selectors
// record and the second ones do not; "" for none.
func Lost(all, kept Selectors) string {
	left := kept.data()
	lost := slices.DeleteFunc(all.data(), func(d string) bool { return slices.Contains(left, d) })
	const shown = 3
	switch n := len(lost); {
	case n == 0:
		return ""
	case n > shown:
		return fmt.Sprintf("the data events of %s, and %d more", strings.Join(lost[:shown], ", "), n-shown)
	}
	return "the data events of " + strings.Join(lost, ", ")
}

// data lists what selectors record besides management events, without repetition.
func (s Selectors) data() []string {
	var data []string
	for _, a := range s.asAdvanced() {
		if a.manages() {
			continue
		}
		of, resources := cmp.Or(a.Name, "other events"), []string(nil)
		for _, f := range a.Fields {
			switch f.Field {
			case fieldType:
				of = strings.Join(f.Equals, " and ")
			case fieldARN:
				resources = slices.Concat(f.Equals, f.StartsWith)
			}
		}
		if len(resources) == 0 {
			resources = []string{"every resource"}
		}
		for _, r := range resources {
			data = append(data, of+" "+r)
		}
	}
	slices.Sort(data)
	return slices.Compact(data)
}
