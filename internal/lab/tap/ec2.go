package tap

import (
	"regexp"
	"strings"
)

// laterEC2 matches the operations of EC2's second record shape.
//
// Records of EC2's first years have lower-camel members and sets
// ({"vpcSet":{"items":[…]}}). Later operations have the wire format itself as
// JSON, below "<Operation>Request" and "<Operation>Response"; there a list of
// one is an object, and list elements of requests carry their position as
// "tag".
//
// Source: recorded events; CreateVpc of the first shape, CreateFlowLogs and
// DeleteFlowLogs of the second (invictus-ir/aws_dataset,
// DataDog/stratus-red-team). Operations without a recorded event are assigned
// by age.
var laterEC2 = regexp.MustCompile(`FlowLogs$|^CreateDefault|VpcEndpoint|NatGateway|LaunchTemplate|TransitGateway|` +
	`SecurityGroupRules$|EgressOnlyInternetGateway|Fleet|CapacityReservation|TrafficMirror|ManagedPrefixList|` +
	`ClientVpn|Ipam|NetworkInsights|InstanceConnectEndpoint|VerifiedAccess|BlockPublicAccess|EbsEncryptionByDefault`)

func ec2Request(operation string, params map[string]any) map[string]any {
	if laterEC2.MatchString(operation) {
		return map[string]any{operation + "Request": laterParams(params)}
	}
	return earlyParams("", params)
}

func laterParams(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return ""
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = laterParams(e)
		}
		return out
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			m, ok := laterParams(e).(map[string]any)
			if !ok {
				m = map[string]any{"content": laterParams(e)}
			}
			m["tag"] = i + 1
			list[i] = m
		}
		if len(list) == 1 {
			return list[0]
		}
		return list
	}
	return typed(v)
}

// earlyParams converts the members of one structure; of is the structure's
// name.
func earlyParams(of string, params map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range params {
		key := lowerFirst(name)
		switch v := v.(type) {
		case map[string]any:
			out[key] = earlyParams(name, v)
		case []any:
			items := make([]any, len(v))
			for i, e := range v {
				if m, ok := e.(map[string]any); ok {
					items[i] = earlyParams(name, m)
				} else {
					items[i] = map[string]any{key: typed(e)}
				}
			}
			switch {
			case of == "TagSpecification": // its tags are the only plain list
				out["tags"] = items
				continue
			case name == "ResourceId": // of CreateTags and DeleteTags
				key = "resourcesSet"
			case !strings.HasSuffix(key, "s"):
				key += "Set"
			}
			out[key] = map[string]any{"items": items}
		default:
			out[key] = typed(v)
		}
	}
	return out
}

func ec2Response(operation string, root *element) map[string]any {
	if !laterEC2.MatchString(operation) {
		early, _ := earlyElement(root).(map[string]any)
		return early
	}
	out, ok := laterElement(root).(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	out["xmlns"] = root.xmlns
	return map[string]any{root.name: out}
}

func laterElement(e *element) any {
	if len(e.children) == 0 {
		return typed(e.text)
	}
	out := map[string]any{}
	for _, c := range e.children {
		v := laterElement(c)
		switch before := out[c.name].(type) {
		case nil:
			out[c.name] = v
		case []any:
			out[c.name] = append(before, v)
		default:
			out[c.name] = []any{before, v}
		}
	}
	return out
}

func earlyElement(e *element) any {
	if len(e.children) == 0 {
		if strings.HasSuffix(e.name, "Set") {
			return map[string]any{}
		}
		return typed(e.text)
	}
	out := map[string]any{}
	var items []any
	for _, c := range e.children {
		switch c.name {
		case "item":
			items = append(items, earlyElement(c))
		case "return":
			out["_return"] = earlyElement(c)
		default:
			out[c.name] = earlyElement(c)
		}
	}
	if items != nil {
		out["items"] = items
	}
	return out
}
