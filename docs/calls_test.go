package docs_test

import (
	"cmp"
	"slices"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

// calls renders calls.md.
func calls(p *page) {
	p.title("Watched calls", "internal/catalog/calls.go")
	p.line("These calls can undo or weaken a protection. Each kind in the third column checks its")
	p.line("protections when one of them is made.\n")
	p.line("- An event only says where to check. If it has no name at its path, the kind checks every")
	p.line("  resource of that type.")
	p.line("- The rules do not match refused calls, which have an `errorCode`.")
	p.line("- **Always notified**: relight notifies the subscribers even if it restored nothing, as long")
	p.line("  as a protection depends on the resource. [What to do](#what-to-do) has the advice.")
	p.line("- **Severity** is that of the notification about such a call; [messages.md](messages.md#severity) says how it is")
	p.line("  combined with what relight restored.\n")
	p.head("Source", "Call", "Kinds that check", "Resource", "Where the event names it", "Always notified", "Severity")
	for _, c := range catalog.Calls {
		where := "nowhere: the scope is the region"
		if c.Path != "" {
			where = strings.Join(coded(strings.Split(c.Path, "|")), " or ")
		}
		p.row(code(c.Source), call(c), each(names(c.Kinds)), strings.ReplaceAll(string(c.Type), "-", " "), where, notified(c), string(c.Severity))
	}
	p.line("\nThe rules match %s only if the parameter is one in which relight remembers something.", list(func(c catalog.Call) bool { return c.Memory }))
	p.line("\nThe rules match calls about tags only if a tag decides something: `%s` where `%s` is true, and those in", catalog.ExemptTag, catalog.KeyExemptByTag)
	p.line("`%s` and `%s`.", catalog.KeySubnets, catalog.KeyInterfaces)
	for _, key := range requiredKeys() {
		p.line("\nOnly where `%s` is set, the kinds check for %s (%s).", key, list(func(c catalog.Call) bool { return c.If == key }), typesOf(key))
	}
	p.line("\n## What to do\n")
	p.line("The notification of such a call carries this advice.")
	advice(p)
	p.line("\n## Event patterns\n")
	p.line("The rules on each region's default bus, one per source and detail type. Further")
	p.line("regions forward only the events of regional kinds (%s). AWS raises the events of IAM", strings.Join(regional(), ", "))
	p.line("and Account Management in us-east-1 only; if the home region is another one, a")
	p.line("forwarder in us-east-1 sends them home.")
	for _, k := range catalog.Kinds() {
		p.line("\n### %s", k)
		patterns(p, catalog.PatternsOf(catalog.Baseline{Prefix: "relight"}.Calls(), k))
	}
	for _, key := range requiredKeys() {
		p.line("\nWith `%s`, also:", key)
		b := with(key)
		patterns(p, catalog.PatternsOf(slices.DeleteFunc(b.Calls(), func(c catalog.Call) bool { return c.If != key }), catalog.Kinds()...))
	}
	p.line("\nWith `flowLogs.graceSeconds`, the events of %s wait for that long", list(func(c catalog.Call) bool { return c.Newborn }))
	p.line("in a queue of their own.")
}

// requiredKeys returns the configuration keys on which watched calls depend, in the order
// of the table.
func requiredKeys() (keys []string) {
	for _, c := range catalog.Calls {
		if c.If != "" && !slices.Contains(keys, c.If) {
			keys = append(keys, c.If)
		}
	}
	return keys
}

// typesOf returns the types of resources of the calls that depend on a key.
func typesOf(key string) string {
	var types []string
	for _, c := range catalog.Calls {
		if name := strings.ReplaceAll(string(c.Type), "-", " "); c.If == key && !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return strings.Join(types, ", ")
}

// with returns a baseline of a configuration that has a key; tags that choose are
// called "sensitive".
func with(key string) catalog.Baseline {
	b := catalog.Baseline{Prefix: "relight"}
	chosen := catalog.Selection{Tags: map[string]string{"sensitive": "yes"}}
	switch key {
	case catalog.KeyExemptByTag:
		b.FlowLogs.ExemptByTag = true
	case catalog.KeyRejectAlarm:
		b.FlowLogControls = []catalog.Control{{}}
	case catalog.KeySubnets:
		b.FlowLogs.Chosen = map[catalog.ResourceType]catalog.Selection{catalog.Subnet: chosen}
	case catalog.KeyInterfaces:
		b.FlowLogs.Chosen = map[catalog.ResourceType]catalog.Selection{catalog.Interface: chosen}
	}
	return b
}

// call returns what people call a watched call.
func call(c catalog.Call) string { return cmp.Or(code(c.Name), c.DetailType) }

func notified(c catalog.Call) string {
	switch {
	case c.Advice == "":
		return ""
	case len(c.Sets) > 0:
		return "yes, if it sets a destination or a key"
	case c.Deploys:
		return "yes, unless CloudFormation made it"
	case c.Routine:
		return "yes, unless relight made it"
	case c.Harmless.Path != "":
		_, parameter, _ := strings.Cut(c.Harmless.Path, ".")
		return "yes, unless " + code(parameter) + " is " + code(c.Harmless.Text)
	}
	return "yes"
}

// advice writes each advice under the calls that it is about.
func advice(p *page) {
	seen := map[string]bool{"": true}
	for _, c := range catalog.Calls {
		if !seen[c.Advice] {
			seen[c.Advice] = true
			p.line("\n**%s**: %s", list(func(other catalog.Call) bool { return other.Advice == c.Advice }), c.Advice)
		}
	}
}

func patterns(p *page, patterns []catalog.Pattern) {
	p.line("\n```")
	for _, pattern := range patterns {
		p.line("%s", pattern)
	}
	p.line("```")
}

// list returns the calls that fit, in a sentence.
func list(fits func(catalog.Call) bool) string {
	var out []string
	for _, c := range catalog.Calls {
		if fits(c) && !slices.Contains(out, call(c)) {
			out = append(out, call(c))
		}
	}
	return strings.Join(out, ", ")
}

func coded(items []string) []string {
	for i := range items {
		items[i] = code(items[i])
	}
	return items
}

func names(kinds []catalog.Kind) []string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

func regional() []string {
	return names(slices.DeleteFunc(catalog.Kinds(), func(k catalog.Kind) bool { return !k.Regional() }))
}
