package awsio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/plan"
)

// DrillReason begins the reason of the states that a drill gives to an alarm.
const DrillReason = "relight drill"

// DrillFilters tests the deployed pattern of each control on the control's sample,
// which goes into no log group. A control without a sample is left out. Source:
// CloudWatch Logs API Reference, TestMetricFilter.
func (c *Cloud) DrillFilters(ctx context.Context) []plan.Link {
	r := c.home(c.Want.HomeRegion)
	trail, err := r.trailLogs(ctx)
	var filters []plan.Filter
	if err == nil && trail.LogGroup != "" {
		filters, _, err = r.describeFilters(ctx, trail.LogGroup)
	}
	if err != nil {
		return []plan.Link{{Link: "log group", Subject: "of the trail", Silent: lasting(err)}}
	}
	if trail.LogGroup == "" {
		return []plan.Link{{Link: "log group", Subject: "of the trail", Silent: "relight protects none here; relight plan says why"}}
	}
	var links []plan.Link
	for _, control := range c.Want.Controls {
		if control.Sample == "" {
			continue
		}
		link := plan.Link{Link: "filter", Subject: c.Want.Name(control.ID)}
		if f, exists := plan.DrilledFilter(c.Want, control, filters); exists {
			link.Subject = f.Name
			link.Silent = r.trips(ctx, f.Pattern, control.Sample)
		} else {
			link.Silent = "log-group " + trail.LogGroup + " has no such filter"
		}
		links = append(links, link)
	}
	return links
}

// trips returns why a pattern does not match a sample, or "".
func (r *region) trips(ctx context.Context, pattern, sample string) string {
	out, err := r.logs().TestMetricFilter(ctx, &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String(pattern), LogEventMessages: []string{sample}})
	switch {
	case err != nil:
		return lasting(err)
	case len(out.Matches) == 0:
		return "its pattern does not match the sample of its control"
	}
	return ""
}

// NextMinute waits until a minute begins, since SNS counts the messages of each minute
// together: those from before a drill must not count as its own.
func (c *Cloud) NextMinute(ctx context.Context) error {
	now := c.Now()
	return c.pause(ctx, now.Truncate(time.Minute).Add(time.Minute).Sub(now))
}

// Ring sets the alarm of drills to ALARM, so that it notifies both topics. An alarm
// notifies only when its state changes. Source: CloudWatch API Reference,
// SetAlarmState.
func (c *Cloud) Ring(ctx context.Context) plan.Link {
	name := c.Want.Name(catalog.DrillAlarm)
	link := plan.Link{Link: "alarm", Subject: name}
	a, err := c.drillAlarm(ctx)
	switch {
	case err != nil:
		link.Silent = lasting(err)
	case a == nil:
		link.Silent = "it does not exist"
	case !aws.ToBool(a.ActionsEnabled):
		link.Silent = "its actions are disabled"
	case a.StateValue == types.StateValueAlarm:
		link.Silent = "it is in ALARM already, and notifies again only once it has been OK: " + aws.ToString(a.StateReason)
	default:
		for _, topic := range c.drilledTopics() {
			if !slices.Contains(a.AlarmActions, topic) {
				link.Silent = "it does not notify " + topic
				return link
			}
		}
		if err := c.setAlarm(ctx, types.StateValueAlarm, ": nothing happened. Somebody tests whether alarms reach you"); err != nil {
			link.Silent = lasting(err)
		}
	}
	return link
}

// Unring sets the alarm of drills back to OK, if a drill set it to ALARM. Otherwise
// CloudWatch does so with the next values of its metric.
func (c *Cloud) Unring(ctx context.Context) error {
	a, err := c.drillAlarm(ctx)
	if err != nil || a == nil || a.StateValue != types.StateValueAlarm || !strings.HasPrefix(aws.ToString(a.StateReason), DrillReason) {
		return bare(err)
	}
	return bare(c.setAlarm(ctx, types.StateValueOk, ": over"))
}

func (c *Cloud) drillAlarm(ctx context.Context) (*types.MetricAlarm, error) {
	out, err := c.home(c.Want.HomeRegion).cloudwatch().DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{c.Want.Name(catalog.DrillAlarm)}})
	if err != nil || len(out.MetricAlarms) == 0 {
		return nil, err
	}
	return &out.MetricAlarms[0], nil
}

func (c *Cloud) setAlarm(ctx context.Context, state types.StateValue, reason string) error {
	_, err := c.home(c.Want.HomeRegion).cloudwatch().SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String(c.Want.Name(catalog.DrillAlarm)), StateValue: state, StateReason: aws.String(DrillReason + reason),
	})
	return err
}

// drilledTopics returns the topics that the alarm of drills notifies.
func (c *Cloud) drilledTopics() []string {
	return slices.DeleteFunc([]string{c.Want.Topic, c.Want.LastResort}, func(t string) bool { return t == "" })
}

// DrillDelivery returns how far the messages of both topics got since a drill began:
// whether the topics took one, and whether SNS delivered it. SNS counts the messages
// of a topic together, whoever sent them, and its metrics arrive some minutes later.
// Source: Amazon SNS Developer Guide, "Monitoring Amazon SNS topics using CloudWatch".
func (c *Cloud) DrillDelivery(ctx context.Context, since time.Time) []plan.Link {
	var links []plan.Link
	r := c.home(c.Want.HomeRegion)
	for _, topic := range c.drilledTopics() {
		took, heard := plan.Link{Link: "topic", Subject: topic}, plan.Link{Link: "subscribers", Subject: "of " + topic}
		counts, err := r.deliveries(ctx, resourceOf(topic, ""), since)
		switch {
		case err != nil:
			took.Silent = lasting(err)
		case counts[published] == 0:
			took.Silent = "SNS counted no message since the alarm rang: the topic, its policy or its key may have refused it"
		}
		switch {
		case took.Silent != "":
			heard.Silent = "no message is known to have reached the topic"
		case counts[failed] > 0:
			heard.Silent = fmt.Sprintf("SNS could not deliver %.0f messages; %.0f were delivered", counts[failed], counts[delivered])
		case counts[delivered] == 0:
			heard.Silent = "SNS delivered no message"
		}
		links = append(links, took, heard)
	}
	return links
}

// The metrics of a topic. Source: as of DrillDelivery.
const (
	published = "NumberOfMessagesPublished"
	delivered = "NumberOfNotificationsDelivered"
	failed    = "NumberOfNotificationsFailed"
)

// deliveries returns what SNS counted of a topic's messages since a time, by metric.
func (r *region) deliveries(ctx context.Context, topic string, since time.Time) (map[string]float64, error) {
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(since.Truncate(time.Minute)), EndTime: aws.Time(r.Now().Add(time.Minute))}
	names := []string{published, delivered, failed}
	for i, name := range names {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: aws.String(fmt.Sprintf("m%d", i)),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{
					Namespace: aws.String("AWS/SNS"), MetricName: aws.String(name), Dimensions: []types.Dimension{{Name: aws.String("TopicName"), Value: aws.String(topic)}},
				},
				Period: aws.Int32(60), Stat: aws.String("Sum"),
			},
		})
	}
	counts := map[string]float64{}
	for page, err := range pages(ctx, cloudwatch.NewGetMetricDataPaginator(r.cloudwatch(), in)) {
		if err != nil {
			return nil, err
		}
		for _, m := range page.MetricDataResults {
			for i, name := range names {
				if aws.ToString(m.Id) == fmt.Sprintf("m%d", i) {
					for _, v := range m.Values {
						counts[name] += v
					}
				}
			}
		}
	}
	return counts, nil
}
