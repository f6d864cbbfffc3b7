package awsio

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/relight-aws/relight/internal/audit"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
	"github.com/relight-aws/relight/internal/remedy"
)

// auditedAtOnce is how many regions an audit reads at the same time.
const auditedAtOnce = 8

// Audit reads what an audit of the account judges: the trail and everything behind
// it in the home region, and VPCs with their flow logs in each region. It reads each
// thing once, and nothing that only a repair needs. What cannot be read is in the
// result, and stops nothing else. It calls progress after each region.
// Topics count if an alarm on a filter of somebody else's, or of one of the controls,
// notifies them. Transit gateways are one more call in each region that has VPCs.
func (c *Cloud) Audit(ctx context.Context, home string, regions []string, controls []catalog.Control, transit bool, progress func(done, total int)) audit.Observed {
	o := &observedAudit{controls: controls, transit: transit, got: audit.Observed{
		Account: c.Want.Account, Home: home, Health: plan.Healths{}, Topics: map[string]plan.Topic{}, Receivers: map[string]string{},
	}}
	if c.Now != nil {
		o.got.Time = c.Now()
	}
	var all sync.WaitGroup
	all.Go(func() { o.chain(ctx, c.in(c.Want.Account, home)) })
	slots := make(chan struct{}, auditedAtOnce)
	done := 0
	for _, name := range regions {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			read := o.vpcs(ctx, c.in(c.Want.Account, name))
			o.mu.Lock()
			defer o.mu.Unlock()
			o.got.Regions = append(o.got.Regions, read)
			if done++; progress != nil {
				progress(done, len(regions))
			}
		})
	}
	all.Wait()
	slices.SortFunc(o.got.Regions, func(a, b audit.Region) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(o.got.Unread, func(a, b audit.Unread) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Link, b.Link), cmp.Compare(a.Subject, b.Subject))
	})
	return o.got
}

// An observedAudit is what an audit has read so far.
type observedAudit struct {
	controls []catalog.Control
	transit  bool // read the transit gateways too

	mu  sync.Mutex // of what regions share: Regions and Unread
	got audit.Observed
}

// unread notes that a link could not be read, and reports whether that is so.
func (o *observedAudit) unread(r *region, link audit.Link, subject string, err error) bool {
	if err == nil {
		return false
	}
	u := audit.Unread{Link: link, Region: r.name, Subject: subject, Error: lasting(err)}
	if e, ok := errors.AsType[*remedy.Error](err); ok {
		u.Action = strings.Replace(e.Op, ".", ":", 1)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.got.Unread = append(o.got.Unread, u)
	return true
}

// chain reads the trail and what is behind it.
func (o *observedAudit) chain(ctx context.Context, r *region) {
	trails, err := r.describeTrails(ctx)
	if o.unread(r, audit.Trail, "", err) {
		return
	}
	o.got.Trails = trails
	choose := func() plan.TrailChoice {
		return plan.ChooseTrail(r.Want, r.account, r.name, trails, nil, o.got.Health)
	}
	if candidates := choose().Compare; len(candidates) == 1 && !o.trail(ctx, r, candidates[0]) {
		o.got.Choice = choose()
		return
	}
	choice, err := r.chooseTrail(ctx, o.got.Health, choose)
	o.got.Choice = choice
	if o.unread(r, audit.Logging, "", err) {
		return
	}
	t := choice.Trail
	if t == nil {
		return // one that does not qualify breaks the first link, or a later one that DescribeTrails shows
	}
	if _, known := o.got.Health[t.ARN]; !known && !o.trail(ctx, r, *t) || !t.DeliversTo(r.account, r.name) {
		return
	}
	o.got.LogGroup = resourceOf(t.LogGroupARN, "log-group:")
	if o.got.Filters, o.got.Exists, err = r.describeFilters(ctx, o.got.LogGroup); o.unread(r, audit.LogGroup, "", err) || !o.got.Exists {
		return
	}
	state := &plan.AlarmState{}
	if o.unread(r, audit.Alarm, "", r.describeAlarms(ctx, state, nil)) {
		return
	}
	o.got.Alarms = state.Alarms
	topics := map[string][]string{} // to the names of the alarms
	named := func(list []catalog.Control, f plan.Filter) bool {
		return slices.ContainsFunc(list, func(c catalog.Control) bool { return f.Name == r.Want.Name(c.ID) })
	}
	for _, f := range o.got.Filters {
		if named(r.Want.Controls, f) && !named(o.controls, f) {
			continue
		}
		for _, m := range f.Metrics {
			for _, name := range sortedKeys(state.Alarms) {
				a := state.Alarms[name]
				if a.Namespace != m.Namespace || a.Metric != m.Name || !a.ActionsEnabled {
					continue
				}
				for _, action := range a.AlarmActions {
					topics[action] = append(topics[action], name)
				}
			}
		}
	}
	for _, topic := range sortedKeys(topics) {
		o.topic(ctx, r, topic, topics[topic])
	}
}

// trail reads what a trail does, and reports whether it could read all of it. The
// selectors of a new trail are known: DescribeTrails says whether a trail has others.
// Source: CloudTrail API Reference, Trail, HasCustomEventSelectors; PutEventSelectors,
// default (documented).
func (o *observedAudit) trail(ctx context.Context, r *region, t plan.Trail) bool {
	status, err := r.cloudtrail().GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(t.ARN)})
	if o.unread(r, audit.Logging, "", err) {
		return false
	}
	health := plan.TrailHealth{Status: statusOf(status), Selectors: plan.DefaultSelectors()}
	if t.Selective {
		selectors, err := r.cloudtrail().GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(t.ARN)})
		if o.unread(r, audit.Events, "", err) {
			o.got.Health[t.ARN] = health
			return false
		}
		health.Selectors = selectorsOf(selectors)
	}
	o.got.Health[t.ARN] = health
	return true
}

// topic reads whether alarms can publish to a topic of this account and region, and
// whether somebody receives that.
func (o *observedAudit) topic(ctx context.Context, r *region, topic string, alarms []string) {
	at, err := arn.Parse(topic)
	if err != nil || at.Service != "sns" || at.Region != r.name || at.AccountID != r.account {
		return
	}
	attributes, exists, err := r.topicAttributes(ctx, topic)
	if o.unread(r, audit.Topic, topic, err) {
		return
	}
	if !exists {
		o.got.Topics[topic] = plan.Topic{}
		return
	}
	t := topicOf(attributes, topic, alarms)
	if key := attributes["KmsMasterKeyId"]; key != "" && t.Admits {
		why, err := r.keyKeepsOut(ctx, key, topic, alarms)
		if o.unread(r, audit.Topic, topic, err) {
			return
		}
		if why != "" {
			t.Admits, t.Why = false, why
		}
	}
	if t.Admits && t.Confirmed > 0 {
		rs := r.receivers()
		receiver, err := rs.hearing(ctx, topic)
		if receiver == "" {
			t.Confirmed = 0
			err = cmp.Or(err, *rs.denied)
		}
		o.unread(r, audit.Subscriber, topic, err)
		o.got.Receivers[topic] = receiver
	}
	o.got.Topics[topic] = t
}

// vpcs reads the VPCs of a region and their flow logs.
func (o *observedAudit) vpcs(ctx context.Context, r *region) audit.Region {
	read := audit.Region{Name: r.name}
	vpcs, err := r.listNetworks(ctx, catalog.VPC, nil)
	if o.unread(r, audit.FlowLog, "", err) || len(vpcs) == 0 {
		return read
	}
	flowLogs, onTransit := map[string][]plan.FlowLog{}, map[string][]string{}
	err = r.listFlowLogs(ctx, nil, func(fl types.FlowLog) {
		if id := aws.ToString(fl.ResourceId); catalog.NetworkType(id) == catalog.VPC {
			flowLogs[id] = append(flowLogs[id], r.flowLog(fl))
		} else {
			onTransit[id] = append(onTransit[id], aws.ToString(fl.FlowLogId))
		}
	})
	if o.unread(r, audit.FlowLog, "", err) {
		return read
	}
	if o.transit {
		read.Transit, read.TransitUnread = r.transitGateways(ctx, onTransit)
	}
	var groups []string
	for i := range vpcs {
		vpcs[i].FlowLogs = flowLogs[vpcs[i].ID]
		for _, fl := range vpcs[i].FlowLogs {
			if fl.LogGroup != "" {
				groups = append(groups, fl.LogGroup)
			}
		}
	}
	read.VPCs = vpcs
	if len(groups) > 0 {
		read.LogGroups, err = r.describeLogGroups(ctx, groups, nil)
		o.unread(r, audit.Destination, "", err)
	}
	return read
}

// transitGateways returns the transit gateways that the account owns in a region, with
// the flow logs on each, or why they could not be read.
func (r *region) transitGateways(ctx context.Context, flowLogs map[string][]string) (all []audit.TransitGateway, unread string) {
	in := &ec2.DescribeTransitGatewaysInput{Filters: filterBy("owner-id", []string{r.account})}
	for page, err := range pages(ctx, ec2.NewDescribeTransitGatewaysPaginator(r.ec2(), in)) {
		if err != nil {
			return nil, lasting(err)
		}
		for _, g := range page.TransitGateways {
			id := aws.ToString(g.TransitGatewayId)
			all = append(all, audit.TransitGateway{Region: r.name, ID: id, FlowLogs: slices.Sorted(slices.Values(flowLogs[id]))})
		}
	}
	return all, ""
}
