using System.Diagnostics;
using k8s;
using k8s.Models;

namespace Deploy.Tests;

/// <summary>The Kubernetes manifests: read by a strict parser of Kubernetes' own model, and held against the program and the house rules.</summary>
public class KubernetesTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "deploy", "kubernetes");

    private static List<object> Read()
        => [.. Directory.GetFiles(s_folder, "*.yaml").Where(f => Path.GetFileName(f) != "kustomization.yaml").Order(StringComparer.Ordinal)
            .SelectMany(f => KubernetesYaml.LoadAllFromString(File.ReadAllText(f), strict: true))];

    private static V1StatefulSet Relays => Read().OfType<V1StatefulSet>().Single();

    [Fact]
    public void Every_field_of_every_manifest_is_one_of_Kubernetes()
    {
        var kinds = Read().Select(o => o.GetType().Name).Order(StringComparer.Ordinal);
        Assert.Equal(["V1Namespace", "V1NetworkPolicy", "V1PodDisruptionBudget", "V1Service", "V1Service", "V1ServiceAccount", "V1StatefulSet"], kinds);
        // The parser is one that minds: a misspelt field is told.
        var misspelt = File.ReadAllText(Path.Combine(s_folder, "disruption.yaml")).Replace("maxUnavailable", "maxUnavailble", StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(misspelt, strict: true));
    }

    [Fact]
    public void The_customization_names_every_manifest()
    {
        var lines = File.ReadAllLines(Path.Combine(s_folder, "kustomization.yaml"));
        var named = lines.Where(l => l.StartsWith("  - ", StringComparison.Ordinal) && l.EndsWith(".yaml", StringComparison.Ordinal)).Select(l => l[4..]);
        Assert.Equal(Directory.GetFiles(s_folder, "*.yaml").Select(f => Path.GetFileName(f)!).Where(f => f != "kustomization.yaml").Order(), named.Order());
    }

    [Fact]
    public async Task Kustomize_puts_them_together()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/kubectl"), "kubectl is not installed.");
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/kubectl", ["kustomize", s_folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (process.ExitCode, await error));
        var made = KubernetesYaml.LoadAllFromString(output, strict: true);
        Assert.Equal(Read().Count, made.Count);
        var pod = made.OfType<V1StatefulSet>().Single().Spec.Template.Spec;
        Assert.All(pod.Containers.Concat(pod.InitContainers), c => Assert.StartsWith("registry.example.org/relay:", c.Image, StringComparison.Ordinal));
        Assert.All(made.OfType<IKubernetesObject<V1ObjectMeta>>().Where(o => o is not V1Namespace), o => Assert.Equal("relay", o.Metadata.NamespaceProperty));
    }

    /// <summary>What Pod Security's profile "restricted" demands, which the namespace enforces.</summary>
    [Fact]
    public void Pods_have_no_rights_and_write_to_memory_only()
    {
        var pod = Relays.Spec.Template.Spec;
        Assert.Equal((true, "RuntimeDefault", false), (pod.SecurityContext.RunAsNonRoot, pod.SecurityContext.SeccompProfile.Type, pod.AutomountServiceAccountToken));
        Assert.All(pod.Containers.Concat(pod.InitContainers), c =>
        {
            Assert.Equal((false, true), (c.SecurityContext.AllowPrivilegeEscalation, c.SecurityContext.ReadOnlyRootFilesystem));
            Assert.Equal(["ALL"], c.SecurityContext.Capabilities.Drop);
            Assert.NotNull(c.Resources.Limits["memory"]);
            Assert.False(c.Resources.Limits.ContainsKey("cpu"));
        });
        Assert.All(pod.Volumes, v => Assert.True(v.Secret is not null || v.EmptyDir.Medium == "Memory", v.Name));
        // No secret is in a manifest.
        Assert.Empty(Read().OfType<V1Secret>());
        Assert.Equal("restricted", Read().OfType<V1Namespace>().Single().Metadata.Labels["pod-security.kubernetes.io/enforce"]);
    }

    [Fact]
    public void Labels_ports_and_the_grace_period_belong_together()
    {
        var set = Relays;
        var labels = set.Spec.Template.Metadata.Labels;
        var container = set.Spec.Template.Spec.Containers.Single();
        var services = Read().OfType<V1Service>().ToList();
        Assert.Contains(services, s => s.Metadata.Name == set.Spec.ServiceName && s.Spec is { ClusterIP: "None", PublishNotReadyAddresses: true });
        Assert.All(services.Select(s => s.Spec.Selector)
            .Append(set.Spec.Selector.MatchLabels).Append(Read().OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels)
            .Append(Read().OfType<V1NetworkPolicy>().Single().Spec.PodSelector.MatchLabels), selector => Assert.True(selector.All(l => labels[l.Key] == l.Value)));
        Assert.All(services.SelectMany(s => s.Spec.Ports), p => Assert.Equal(p.Port, container.Ports.Single(c => c.Name == p.TargetPort.Value).ContainerPort));
        foreach (var probe in (V1Probe[])[container.StartupProbe, container.ReadinessProbe, container.LivenessProbe])
            Assert.Contains(container.Ports, p => p.Name == probe.HttpGet.Port.Value && p.ContainerPort == 7421);
        int delay = int.Parse(container.Args.Single(a => a.StartsWith("--drain-delay=", StringComparison.Ordinal)).Split('=')[1]);
        Assert.Equal(delay + (int)Relay.Gateway.Hosting.GatewayLimits.DrainTimeout.TotalSeconds + 15, set.Spec.Template.Spec.TerminationGracePeriodSeconds);
        // Every switch is one of the command, with a value that it takes.
        var parsed = Relay.Cli.RelayCommand.Create().Parse([.. container.Args]);
        Assert.Empty(parsed.Errors);
    }
}
