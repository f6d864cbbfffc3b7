// Package finding writes the checks of an audit as findings for machines: in the AWS
// Security Finding Format and as Compliance Findings of the Open Cybersecurity Schema
// Framework. It calls nothing.
package finding

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
)

// A finding is what both formats say of a check.
type finding struct {
	audit.Check
	id           string
	title, text  string
	region       string // of the account: a check that stands for several regions is of the home region
	partition    string
	requirements []string // "CIS AWS Foundations Benchmark 5.0/4.3"
	standards    []string // titles of frameworks
	types        []string
	help         string // page about the control
	resources    []resource
}

// A resource is what a finding is about.
type resource struct {
	arn, kind, region string // kind as ASFF calls it
}

// findings returns the findings of a report, in its order.
//
// The ID of a finding is made of account, region, control and VPC, and so stays the same
// from audit to audit. A control that frameworks judge by different texts has several
// checks: then the first framework of each is in its ID too.
func findings(rep audit.Report) []finding {
	same := map[[3]string]int{}
	for _, c := range rep.Checks {
		same[[3]string{c.Control, c.Region, c.Resource}]++
	}
	list := make([]finding, 0, len(rep.Checks)) // not nil: JSON
	for _, c := range rep.Checks {
		f := finding{Check: c, region: rep.Home, text: cmp.Or(c.Problem, "Every link of the chain works.")}
		if catalog.IsRegion(c.Region) {
			f.region = c.Region
		}
		p, _ := catalog.PartitionOf(rep.Home)
		f.partition = cmp.Or(p.ID, "aws")
		parts := []string{"relight", rep.Account, c.Region, c.Control}
		if c.Resource != "" {
			parts = append(parts, c.Resource)
		}
		for _, framework := range rep.Frameworks {
			ids := c.Requirements[framework.ID]
			if len(ids) == 0 {
				continue
			}
			if len(f.standards) == 0 && same[[3]string{c.Control, c.Region, c.Resource}] > 1 {
				parts = append(parts, framework.ID)
			}
			f.standards = append(f.standards, framework.Title)
			for _, id := range ids {
				f.requirements = append(f.requirements, framework.Title+"/"+id)
			}
			if t := standard(framework.ID); len(f.types) == 0 || f.types[len(f.types)-1] != t {
				f.types = append(f.types, t)
			}
		}
		f.id = strings.ReplaceAll(strings.Join(parts, "/"), " ", "-")
		if c.Control == catalog.FlowLogsCheck {
			f.title = strings.TrimSpace("VPC flow logs of " + cmp.Or(c.Resource, c.Region))
			f.help = "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html"
		} else {
			f.title = "Monitoring of " + cmp.Or(c.Title, c.Control)
			f.help = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html"
		}
		f.resources = resources(rep.Account, f)
		list = append(list, f)
	}
	return list
}

// standard returns the type of a finding about a framework. Source: Security Hub User
// Guide, "Types taxonomy for ASFF".
func standard(framework string) string {
	classifier := "AWS Foundational Security Best Practices"
	for prefix, title := range map[string]string{"cis-": "CIS AWS Foundations Benchmark", "nist-800-53": "NIST 800-53 Controls (USA)", "pci-": "PCI-DSS"} {
		if strings.HasPrefix(framework, prefix) {
			classifier = title
		}
	}
	return "Software and Configuration Checks/Industry and Regulatory Standards/" + classifier
}

// resources returns what a finding is about: the VPC or the account, and the resources
// of the links that were walked.
func resources(account string, f finding) []resource {
	arn := func(service, name string) string {
		return "arn:" + f.partition + ":" + service + ":" + f.region + ":" + account + ":" + name
	}
	list := []resource{{"AWS::::Account:" + account, "AwsAccount", f.region}}
	if f.Resource != "" {
		list = []resource{{arn("ec2", "vpc/"+f.Resource), "AwsEc2Vpc", f.region}}
	}
	add := func(arn, kind string) {
		for _, r := range list {
			if r.arn == arn {
				return
			}
		}
		list = append(list, resource{arn, kind, f.region})
	}
	for _, s := range f.Steps {
		switch name := s.Resource; {
		case name == "" || s.Status == audit.NotReached:
		case s.Link == audit.Trail:
			add(name, "AwsCloudTrailTrail")
		case s.Link == audit.Topic || s.Link == audit.Subscriber:
			add(name, "AwsSnsTopic")
		case s.Link == audit.LogGroup && strings.Contains(name, ":log-group:"):
			add(name, "Other")
		case s.Link == audit.Alarm && s.Status == audit.Pass || s.Link == audit.Actions:
			add(arn("cloudwatch", "alarm:"+name), "AwsCloudWatchAlarm")
		case s.Link == audit.FlowLog && s.Status == audit.Pass || s.Link == audit.Delivery:
			add(arn("ec2", "vpc-flow-log/"+name), "Other")
		}
	}
	return list
}

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
