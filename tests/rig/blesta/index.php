<?php
// A small Blesta API for the rig, written from what is known of the real one on the wire: the order of its
// checks, its exact messages, its two ways to authenticate. It decides from what it receives. The mood of an
// installation is set by the web server beside it (SetEnv), never by the path that is asked.

function mood($name) {
    foreach ([$name, "REDIRECT_$name", "REDIRECT_REDIRECT_$name", "REDIRECT_REDIRECT_REDIRECT_$name"] as $variable) {
        $value = getenv($variable);
        if ($value !== false) return $value;
    }
    return '';
}

function answer($status, $object) {
    http_response_code($status);
    header('Content-Type: application/json');
    if (mood('BLESTA_BOM')) echo "\xEF\xBB\xBF";
    echo json_encode($object);
    exit;
}

function refuse($status, $message) {
    answer($status, ['message' => $message, 'response' => null]);
}

if (mood('BLESTA_EMPTY')) exit;
if (mood('BLESTA_NOISE')) {
    ini_set('display_errors', '1');
    error_reporting(E_ALL);
    ini_set('html_errors', '0');
    echo $nobody['set'];
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (!preg_match('#^(.*?)/(?:index\.php/)?api(?:/(.*))?$#', $path, $match)) {
    header('Content-Type: text/html');
    echo '<!DOCTYPE html><html><head><title>Client Area</title></head><body>Welcome</body></html>';
    exit;
}
if (mood('BLESTA_MAINTENANCE')) refuse(503, 'The requested resource is currently unavailable due to maintenance.');

$segments = array_values(array_filter(explode('/', $match[2] ?? ''), 'strlen'));
if (count($segments) < 2) refuse(404, 'The requested resource does not exist.');
$dot = strrpos($segments[1], '.');
$format = $dot === false ? '' : substr($segments[1], $dot + 1);
if (!in_array($format, ['json', 'xml', 'php'], true)) refuse(415, 'The format requested is not supported by the server.');

// With the key header present, Basic is ignored.
$user = $key = null;
if (isset($_SERVER['HTTP_BLESTA_API_KEY']) && !mood('BLESTA_OLD')) {
    $user = $_SERVER['HTTP_BLESTA_API_USER'] ?? '';
    $key = $_SERVER['HTTP_BLESTA_API_KEY'];
} else {
    $basic = $_SERVER['HTTP_AUTHORIZATION'] ?? mood('HTTP_AUTHORIZATION');
    if (preg_match('#^Basic (.+)$#i', $basic, $given)) {
        $pair = explode(':', base64_decode($given[1]), 2);
        [$user, $key] = [$pair[0], $pair[1] ?? ''];
    }
}
if (mood('BLESTA_SLEEP') && $key !== null) {
    tempnam(mood('BLESTA_MARK'), 'seen');
    sleep((int) mood('BLESTA_SLEEP'));
}
$accepted = $user === mood('BLESTA_USER') && $key !== null && hash_equals(mood('BLESTA_KEY'), $key);
if (!$accepted) refuse(401, 'The authorization details given appear to be invalid.');

$method = $segments[0] . '/' . substr($segments[1], 0, $dot);
if (mood('BLESTA_EXCEPTION')) answer(500, ['message' => 'An unexpected error occured.', 'response' => 'Failed to retrieve the default value']);
switch ($method) {
    case 'companies/getAll':
        answer(200, ['response' => [['id' => '1', 'name' => 'Rig Ltd', 'hostname' => mood('BLESTA_HOST'), 'address' => null, 'phone' => '', 'fax' => '']]]);
    case 'settings/getVersion':
        answer(200, ['response' => '5.13.7']);
    case 'settings/getDbVersion':
        answer(200, ['response' => '5.13.7']);
    default:
        refuse(404, 'The requested resource does not exist.');
}
