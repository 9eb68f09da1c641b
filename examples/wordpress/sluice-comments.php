<?php
/**
 * Plugin Name: Sluice comments
 * Description: Shows Sluice threads in place of the built-in comments.
 * License: MIT
 */

defined('ABSPATH') || exit;

const SLUICE_SERVER = 'https://comments.example.com';
const SLUICE_SITE = 'my-blog';

add_filter('comments_template', fn () => __DIR__ . '/comments.php');
